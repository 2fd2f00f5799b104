"""The folders of a run: none may spoil another, or what somebody else keeps there."""

from __future__ import annotations

import itertools
from pathlib import Path

from onbrand.errors import OnbrandError
from onbrand_models.writing import check_new_folder, check_replaceable


def check_folders(base: Path, output: Path, work: Path, keep_model: Path | None) -> None:
    """Check where a run reads and writes, before anything is learnt.

    Args:
        base: folder of the model to begin with.
        output: folder of the bundle.
        work: folder for checkpoints.
        keep_model: folder for the adapted model, if it is wanted.

    Raises:
        OnbrandError: something would be lost there, it cannot be written, or one of the folders is
            another one or lies in it.
    """
    check_replaceable(output)
    if keep_model is not None:
        check_new_folder(keep_model)
    named = {"--output": output, "--work": work, "--keep-model": keep_model, "--base": base}
    places = [(name, folder) for name, folder in named.items() if folder is not None]
    for (name, folder), (other_name, other) in itertools.combinations(places, 2):
        here, there = folder.resolve(), other.resolve()
        if here.is_relative_to(there) or there.is_relative_to(here):
            how = "is the same folder as" if here == there else "overlaps with"
            raise OnbrandError(
                f"{name} {folder} {how} {other_name} {other}; name a folder for each, "
                "none of them inside another"
            )
    if work.exists() and not work.is_dir():
        raise OnbrandError("is no folder; name another one for checkpoints (--work)", path=work)
