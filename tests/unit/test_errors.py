"""What errors advise to install."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

from onbrand.errors import install_command


@pytest.mark.parametrize(
    ("record", "advice"),
    [
        ({"url": "file://{folder}", "dir_info": {"editable": True}}, "'{folder}[train]'"),
        ({"url": "file:///x/a.whl", "archive_info": {}}, "'onbrand[train] @ file:///x/a.whl'"),
        (
            {"url": "https://git.acme.com/x", "vcs_info": {"vcs": "git", "commit_id": "1a2b"}},
            "'onbrand[train] @ git+https://git.acme.com/x@1a2b'",
        ),
        (None, "'onbrand[train] @ file:///PATH-OR-URL-OF-ITS-WHEEL'"),
    ],
    ids=["checkout", "wheel", "repository", "unknown"],
)
def test_an_extra_comes_from_where_onbrand_came(
    record: dict[str, object] | None, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = record and json.dumps(record).replace("{folder}", tmp_path.as_posix())

    class Distribution:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return text

    monkeypatch.setattr(metadata, "distribution", lambda name: Distribution())
    expected = advice.replace("{folder}", str(tmp_path))
    assert install_command("train") == f"pip install {expected}"


def test_the_standalone_build_fetches_what_training_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert install_command("train") == "onbrand add-training"
    assert install_command("slack").startswith("pip install")
