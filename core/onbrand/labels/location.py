"""Where labels are kept. Needs no SQLAlchemy: most who ask have no store."""

from __future__ import annotations

import os
from pathlib import Path

LOCATION_VARIABLE = "ONBRAND_LABELS_DB"
PROJECT_STORE = Path(".onbrand", "labels.db")


def default_location(start: Path | None = None) -> str:
    """Return where labels are kept when no one says.

    Args:
        start: where the configuration is looked for; the working directory by default.
    """
    from onbrand.config import settings_for

    folder = (start or Path.cwd()).resolve()
    return location_for(folder, settings_for(folder / "labels").labels_db)


def location_for(folder: Path, configured: str | None) -> str:
    """Return the path or URL of the label store for a folder.

    In this order: the environment's ``ONBRAND_LABELS_DB``, ``labels_db`` in the configuration, the
    nearest ``.onbrand/labels.db`` from the folder upwards, ``labels.db`` in the user's data folder.
    """
    named = os.environ.get(LOCATION_VARIABLE) or configured
    if named:
        return named
    for parent in (folder, *folder.parents):
        if (parent / PROJECT_STORE).is_file():
            return str(parent / PROJECT_STORE)
    from platformdirs import user_data_path

    return str(user_data_path("onbrand", appauthor=False) / "labels.db")
