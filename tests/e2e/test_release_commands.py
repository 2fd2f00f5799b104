"""``voices install``, ``voices update`` and ``models install`` on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_runner import error_of, run
from release_samples import STRANGER, TRUSTED, write_release

from onbrand.encoder import Encoder
from onbrand.installation import default_root, read_installed
from onbrand_releases.signing import key_digits

KEY = f"ed25519:{TRUSTED}"
OTHER = f"ed25519:{key_digits(STRANGER)}"


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release in a working folder outside any project, and a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("ONBRAND_RELEASE_KEY", raising=False)
    (tmp_path / "onbrand.toml").write_text("root = true\n")
    write_release(tmp_path / "release")
    return tmp_path / "release"


def test_install_says_how_to_use_it(release: Path, tmp_path: Path) -> None:
    done = run("voices", "install", "release", "--key", KEY, "--to", "here")
    assert (done.code, done.err) == (0, "")
    first, second, third = done.out.splitlines()
    assert first.startswith("agency: release 1 (2 voices, 1 encoder, ")
    assert first.endswith(" kB fetched)")
    assert second == f"installed in {tmp_path / 'here'}; to use it, write into onbrand.toml:"
    (tmp_path / "onbrand.toml").write_text(f"root = true\n{third.strip()}\n")
    listed = run("voices", "list")
    assert listed.code == 0
    assert "acme" in listed.out
    assert f"agency: release 1 from {release / 'index.json'}, installed in" in listed.out
    assert run("voices", "show", "beta").out.count("agency: release 1 from ") == 1
    record = run("voices", "list", "--format", "json").json()["voices"][0]
    assert record["release"] == {"name": "agency", "number": 1, "folder": str(tmp_path / "here")}


@pytest.mark.parametrize("way", ["option", "file", "environment"])
def test_ways_to_give_the_key(release: Path, tmp_path: Path, way: str) -> None:
    (tmp_path / "agency.pub").write_text(KEY + "\n")
    given = {"option": ["--key", KEY], "file": ["--key", "agency.pub"], "environment": []}[way]
    env = {"ONBRAND_RELEASE_KEY": KEY} if way == "environment" else {}
    assert run("voices", "install", "release", *given, env=env).code == 0
    root = default_root(str(release))
    assert read_installed(root).keys == (TRUSTED,)
    # Afterwards the environment does not matter: the key is pinned.
    again = run("voices", "install", "release", env={"ONBRAND_RELEASE_KEY": OTHER})
    assert again.out.startswith("agency: up to date at release 1\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "whom to trust? give the publisher's key: --key ed25519:…"),
        (["--key", "ed25519:12"], "is no public key; expected ed25519: and 64 hexadecimal digits"),
        (["--key", OTHER], f"is signed by {KEY}, a key that you do not trust"),
        (["--key", "nothere.pub"], "nothere.pub: no such file; check the path"),
    ],
)
def test_install_refuses_in_a_line(
    release: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    assert message in error_of(run("voices", "install", "release", "--to", "here", *arguments))
    assert not (tmp_path / "here").exists()
    assert not (tmp_path / "data").exists()


def test_update_says_in_a_line_what_it_did(release: Path) -> None:
    run("voices", "install", "release", "--key", KEY)
    assert run("voices", "update").out == "agency: up to date at release 1\n"
    write_release(release, 2, voices={"acme": 1, "beta": 0})
    done = run("voices", "update")
    assert (done.code, done.err) == (0, "")
    assert re.match(r"agency: release 1 → 2 \(1 voice changed, 1\.\d kB fetched\)", done.out)
    assert run("voices", "update", "--rollback").out == (
        "agency: release 2 → 1, rolled back; release 2 is not taken again without --again\n"
    )
    waiting = run("voices", "update")
    assert waiting.code == 0
    assert waiting.out.startswith("agency: release 2 was rolled back here; still at release 1, ")
    assert "there is no release before 1" in run("voices", "update", "--rollback").err
    assert run("voices", "update", "--again").out.startswith("agency: release 1 → 2 (1 voice")


def test_update_goes_on_when_one_fails(release: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_release(tmp_path / name, name=name)
        run("voices", "install", name, "--key", KEY)
    write_release(tmp_path / "a", 2, name="a", voices={"acme": 4, "beta": 4})
    write_release(tmp_path / "b", 2, name="b", key=STRANGER)
    done = run("voices", "update")
    assert done.code == 2
    assert done.out.startswith("a: release 1 → 2 (2 voices changed, ")
    assert done.out.endswith("c: up to date at release 1\n")
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"error: {tmp_path / 'b' / 'index.json'}: is signed by")


def test_update_as_json_for_a_fleets_tools(release: Path, tmp_path: Path) -> None:
    run("voices", "install", "release", "--key", KEY, "--to", "here")
    write_release(release, 2, voices={"acme": 1, "beta": 0})
    done = run("voices", "update", "here", "nowhere", "--format", "json")
    assert done.code == 2
    good, bad = json.loads(done.out)["installations"]
    assert good.pop("fetched") > 1000
    assert good == {
        "folder": str(tmp_path / "here"),
        "name": "agency",
        "source": str(release / "index.json"),
        "status": "updated",
        "before": 1,
        "release": 2,
        "created": "2025-11-22T10:00:00+00:00",
        "expires": None,
        "offered": 2,
        "voices_changed": 1,
        "encoders_changed": 0,
    }
    assert (bad["folder"], bad["status"]) == (str(tmp_path / "nowhere"), "failed")
    assert "is no installation" in bad["error"]
    installed = run("voices", "install", "release", "--to", "here", "--format", "json").json()
    assert installed["installations"][0]["status"] == "up to date"


def test_nothing_is_installed(release: Path, tmp_path: Path) -> None:
    error = error_of(run("voices", "update"))
    assert error.startswith(f"{tmp_path / 'data' / 'installed'}: nothing is installed here")


def test_options_that_do_not_go_together(release: Path) -> None:
    for arguments in (["--again"], ["--key", KEY], ["--only-key"]):
        error = error_of(run("voices", "update", "--rollback", *arguments))
        assert error == "--rollback goes with no other option; run two commands"
    assert "--only-key needs the keys" in error_of(run("voices", "update", "--only-key"))


def test_keys_are_exchanged(release: Path) -> None:
    run("voices", "install", "release", "--key", KEY)
    assert run("voices", "update", "--key", OTHER).code == 0
    write_release(release, 2, key=STRANGER)
    assert run("voices", "update", "--key", OTHER, "--only-key").code == 0
    assert read_installed(default_root(str(release))).keys == (key_digits(STRANGER),)


def test_encoders_alone(release: Path) -> None:
    done = run("models", "install", "release", "--key", KEY)
    assert done.code == 0
    first, second = done.out.splitlines()
    assert first.startswith("agency: release 1 (1 encoder, ")
    bundle = second.rpartition(" ")[2]
    assert Encoder.load(Path(bundle)).manifest.layers
    # Beside it the whole release can be installed, and one command updates both.
    assert run("voices", "install", "release", "--key", KEY).code == 0
    write_release(release, 2, encoder=1)
    assert [line.partition(" (")[0] for line in run("voices", "update").out.splitlines()] == [
        "agency: release 1 → 2",
        "agency: release 1 → 2",
    ]


def test_drafts_are_checked_by_what_is_installed(release: Path, tmp_path: Path) -> None:
    run("voices", "install", "release", "--key", KEY)
    root = default_root(str(release))
    (tmp_path / "draft.md").write_text("We brand the oats simple.")
    done = run("check", "draft.md", "--voices", root, "--brand", "acme", "--format", "json")
    assert done.code in (0, 1), done.err
    assert done.json()["files"][0]["brand"] == "acme"
