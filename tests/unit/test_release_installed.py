"""What every check reads of an installation."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from onbrand.errors import OnbrandError
from onbrand.installation import (
    STATE_FILE,
    Installed,
    default_root,
    encoders_of,
    installation_of,
    installations,
    installations_folder,
    is_url,
    read_installed,
    redact_url,
    voices_of,
    write_installed,
)

INSTALLED = Installed(
    source="https://brand.example.com/voices/index.json",
    name="agency",
    keys=("ab" * 32,),
    highest=7,
    current="7-1a2b3c4d5e6f",
    previous="6-0a2b3c4d5e6f",
)


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_installed(tmp_path, INSTALLED)
    assert read_installed(tmp_path) == INSTALLED
    assert INSTALLED.release == 7
    assert voices_of(tmp_path) == tmp_path / "releases/7-1a2b3c4d5e6f/voices"


def test_other_folders_are_no_installations(tmp_path: Path) -> None:
    assert read_installed(tmp_path) is None
    assert voices_of(tmp_path) is None
    assert encoders_of(tmp_path) == []
    assert read_installed(tmp_path / "not there") is None


def test_encoders_are_those_of_the_current_release(tmp_path: Path) -> None:
    write_installed(tmp_path, INSTALLED)
    for name in ("7-1a2b3c4d5e6f/encoders/b", "7-1a2b3c4d5e6f/encoders/a", "6-0/encoders/c"):
        (tmp_path / "releases" / name).mkdir(parents=True)
        (tmp_path / "releases" / name / "encoder.json").touch()
    folder = tmp_path / "releases/7-1a2b3c4d5e6f/encoders"
    assert encoders_of(tmp_path) == [folder / "a", folder / "b"]


def test_a_voice_knows_its_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_installed(tmp_path, INSTALLED)
    voice = tmp_path / "releases/7-1a2b3c4d5e6f/voices/acme"
    assert installation_of(voice) == (tmp_path, INSTALLED)
    monkeypatch.chdir(tmp_path)
    assert installation_of(Path("releases/7-1a2b3c4d5e6f/voices/acme")) == (tmp_path, INSTALLED)
    assert installation_of(tmp_path / "voices" / "acme") is None
    assert installation_of(tmp_path / "no" / "releases" / "7-1" / "voices" / "acme") is None
    assert installation_of(Path("/acme")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\xff", "is damaged ('utf-8' codec can't decode byte 0xff"),
        ("\0" * 500, "is damaged (JSON is malformed"),
        ('{"x":' + "[" * 100_000, "is damaged (maximum recursion depth exceeded"),
        ("", "is damaged (Input data was truncated"),
        ("{}", "is damaged (Object missing required field `format`"),
        ('{"format": 2}', "installation of format 2, this onbrand reads format 1; update onbrand"),
        ('{"format": 1}', "is damaged (Object missing required field"),
        ("[", "is damaged"),
    ],
)
def test_damage_is_told_in_a_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / STATE_FILE).write_text(text, encoding="latin-1")
    with pytest.raises(OnbrandError) as caught:
        read_installed(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / STATE_FILE}: {message}")
    if "damaged" in message:
        assert str(caught.value).endswith("; delete the folder and install again")


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    write_installed(tmp_path, INSTALLED)
    (tmp_path / STATE_FILE).write_bytes(b"\xef\xbb\xbf" + (tmp_path / STATE_FILE).read_bytes())
    assert read_installed(tmp_path) == INSTALLED


@pytest.mark.parametrize("which", ["is_file", "open"])
def test_an_installation_that_may_not_be_read(
    tmp_path: Path, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_installed(tmp_path, INSTALLED)

    def forbidden(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, which, forbidden)
    with pytest.raises(OnbrandError) as caught:
        read_installed(tmp_path)
    assert caught.value.message == (
        "cannot be read (Permission denied); check who may read the folder"
    )


@pytest.mark.parametrize("name", ["../../etc", "7-1a2b3c4d5e6f/..", "7", "0-1a2b3c4d5e6f", ""])
def test_a_release_name_cannot_lead_out(tmp_path: Path, name: str) -> None:
    write_installed(tmp_path, INSTALLED)
    text = (tmp_path / STATE_FILE).read_text()
    (tmp_path / STATE_FILE).write_text(text.replace("7-1a2b3c4d5e6f", name))
    with pytest.raises(OnbrandError, match="is damaged"):
        voices_of(tmp_path)


def test_all_forms_of_a_url_are_one_installation() -> None:
    roots = {
        default_root(url)
        for url in (
            "https://brand.example.com/voices",
            "https://brand.example.com/voices/",
            "https://brand.example.com/voices/index.json",
            "https://Brand.Example.com/voices/index.json",
            "https://ada:s3cret@brand.example.com/voices/index.json?token=s3cret#top",
        )
    }
    (root,) = roots
    assert root.parent == installations_folder()
    assert root.name.startswith("brand-example-com-voices-")
    assert "s3cret" not in root.name


def test_other_places_are_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    places = ["https://a.example/x", "https://a.example/y", "https://b.example/x", "s3://a/x", "x"]
    assert len({default_root(place) for place in places}) == len(places)
    assert default_root("x") == default_root(str(tmp_path / "x" / "index.json"))
    assert default_root("https://例え.jp/声").name.startswith("jp-")
    assert default_root("https://" + "a" * 500).name.count("a") < 80


def test_the_systems_own_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONBRAND_DATA_DIR")
    assert installations_folder().parts[-2:] == ("onbrand", "installed")


def test_installations_are_found(tmp_path: Path) -> None:
    assert installations() == []
    root = default_root("https://a.example/x")
    root.mkdir(parents=True)
    assert installations() == []
    write_installed(root, INSTALLED)
    assert installations() == [root]


def test_secrets_are_left_out() -> None:
    assert redact_url("https://ada:p@h.example:8/x?sig=1#f") == "https://h.example:8/x"
    assert redact_url("C:\\voices") == "C:\\voices"
    assert [is_url(s) for s in ("s3://a", "C:\\a", "c://a", "a/b", "memory://")] == [
        True, False, False, False, True,
    ]  # fmt: skip


def test_a_check_does_not_load_the_network() -> None:
    heavy = [
        "cryptography",
        "fsspec",
        "filelock",
        "aiohttp",
        "urllib.request",
        "ssl",
        "platformdirs",
    ]
    code = (
        "import sys, onbrand.installation\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
