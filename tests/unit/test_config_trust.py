"""A checkout's configuration chooses among the encoders that the user has, unless it is trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_encoder import tiny_encoder

from onbrand.config.trust import check_trust, distrust, is_trusted, trust, trusted_folders
from onbrand.encoder import default_bundle
from onbrand.errors import OnbrandError
from onbrand_cli.app import run


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose configuration names an encoder of its own."""
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "checkout"
    tiny_encoder(folder / "encoder")
    (folder / "onbrand.toml").write_text('root = true\nencoder = "encoder"\navoid = ["hype"]\n')
    (folder / "draft.md").write_text("Oats are new.")
    return folder


def error(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(list(map(str, arguments))) == 2
    streams = capsys.readouterr()
    assert (streams.out, streams.err.count("\n")) == ("", 1)
    return streams.err


@pytest.mark.parametrize("command", ["check", "gate", "registers"])
def test_its_own_encoder_is_not_loaded(
    checkout: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    told = error(capsys, command, checkout / "draft.md")
    assert told.startswith(f"error: {checkout / 'encoder'}: is an encoder that is not installed")
    assert f"onbrand config trust {checkout} (or name it with --encoder)" in told


def test_nor_for_a_sentence(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    assert "its folder is not trusted" in error(capsys, "score", "Oats are new.")


def test_the_user_may_trust_it_or_name_it(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no registers, which shows that it was loaded."""
    named = error(capsys, "check", "--encoder", checkout / "encoder", checkout / "draft.md")
    assert "has no registers" in named
    assert run(["config", "trust", str(checkout)]) == 0
    assert run(["config", "trust"]) == 0
    assert capsys.readouterr().out == f"trusted: {checkout}\n{checkout}\n"
    assert "has no registers" in error(capsys, "check", checkout / "draft.md")
    assert run(["config", "trust", "--remove", str(checkout)]) == 0
    capsys.readouterr()
    assert "is not trusted" in error(capsys, "check", checkout / "draft.md")


def test_a_copy_of_an_encoder_that_the_user_has_is_fine(checkout: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(default_bundle(), checkout / "copy"))
    assert check_trust(copy, checkout / "onbrand.toml") == copy
    root = tmp_path / "data/installed/acme"
    shutil.copytree(checkout / "encoder", root / "releases/1-000000000000/encoders/tiny")
    pointer = {"format": 1, "source": "release", "name": "acme", "keys": ["0" * 64], "highest": 1}
    pointer |= {"refused": [], "current": "1-000000000000", "previous": None}
    (root / "installed.json").write_text(json.dumps(pointer))
    assert check_trust(checkout / "encoder") == checkout / "encoder"


def test_an_installation_that_a_checkout_brings_is_not_the_users(checkout: Path) -> None:
    bundle = checkout / "voices/releases/1-000000000000/encoders/tiny"
    shutil.copytree(checkout / "encoder", bundle)
    with pytest.raises(OnbrandError, match="its folder is not trusted"):
        check_trust(bundle, checkout / "onbrand.toml")


def test_links_lead_out_of_a_trusted_folder(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/link").symlink_to(checkout)
    trust(tmp_path / "mine")
    assert is_trusted(tmp_path / "mine")
    assert not is_trusted(tmp_path / "mine/link/encoder")
    with pytest.raises(OnbrandError, match="is not trusted"):
        distrust(checkout)
    with pytest.raises(OnbrandError, match="is no folder"):
        trust(tmp_path / "nothing")


def test_a_damaged_list_trusts_nobody(checkout: Path, tmp_path: Path) -> None:
    trust(checkout)
    (tmp_path / "data/trusted.json").write_text('{"format": 1}')
    with pytest.raises(OnbrandError, match="is damaged"):
        trusted_folders()
    with pytest.raises(OnbrandError, match="is damaged"):
        check_trust(checkout / "encoder")
