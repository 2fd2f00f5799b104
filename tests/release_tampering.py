"""What tests of tampered releases share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_runner import tree
from release_samples import KEY, TRUSTED

from onbrand import Scorer
from onbrand.errors import OnbrandError
from onbrand.installation import encoders_of, voices_of
from onbrand_releases import signing
from onbrand_releases.index import INDEX, Index, Package, Signature, encode, signed_bytes
from onbrand_releases.install import install, update

Check = Callable[[str], None]


def refusal_of(release: Path, folder: Path) -> Check:
    """Return what checks that ``folder / "root"`` refuses an update to the release, and stays."""
    root = folder / "root"
    before = tree(root)

    def check(message: str = "") -> None:
        with pytest.raises(OnbrandError) as caught:
            update(root)
        assert "\n" not in str(caught.value)
        assert message in str(caught.value)
        after = {name: data for name, data in tree(root).items() if not name.startswith("partial")}
        assert after == before
        with pytest.raises(OnbrandError):
            install(str(release), folder / "fresh", [TRUSTED])
        assert voices_of(folder / "fresh") is None

    return check


def works(root: Path) -> None:
    voices = voices_of(root)
    assert voices is not None
    scorer = Scorer.load(voices, encoder=encoders_of(root)[0])
    assert scorer.score(["We brand the oats simple."]).shape == (1, 2)


def sign_anything(release: Path, **changes: Any) -> None:
    """Write an index that its own publisher's code would not write, signed with the right key."""
    index = msgspec.json.decode((release / INDEX).read_bytes(), type=Index)
    index = msgspec.structs.replace(index, **changes)
    value = signing.sign(KEY, signed_bytes(index))
    signature = Signature(TRUSTED, value)
    (release / INDEX).write_bytes(encode(msgspec.structs.replace(index, signature=signature)))


def first_voice(release: Path) -> Package:
    return msgspec.json.decode((release / INDEX).read_bytes(), type=Index).voices[0]


def replace_voice(release: Path, **changes: Any) -> None:
    voices = msgspec.json.decode((release / INDEX).read_bytes(), type=Index).voices
    sign_anything(release, voices=(msgspec.structs.replace(voices[0], **changes), *voices[1:]))
