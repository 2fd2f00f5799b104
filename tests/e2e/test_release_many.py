"""Several installations on one computer, damaged ones, and what a fleet's tools are told."""

from __future__ import annotations

import os
import shutil
import threading
import tomllib
from pathlib import Path

import pytest
from cli_runner import error_of, run
from release_samples import STRANGER, TRUSTED, write_release

from onbrand.config import settings_for
from onbrand.encoder import Encoder
from onbrand.installation import read_installed
from onbrand.voice.storage import load_valid_voices
from onbrand_releases.clearing import locked
from onbrand_releases.signing import key_digits

KEY = f"ed25519:{TRUSTED}"
OTHER = f"ed25519:{key_digits(STRANGER)}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two clients' releases, and a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("ONBRAND_RELEASE_KEY", raising=False)
    (tmp_path / "onbrand.toml").write_text("root = true\n")
    for name in ("agency", "client"):
        write_release(tmp_path / name, name=name)
    return tmp_path


def install(source: str, *more: str | Path) -> Path:
    """Install a release and return where it is."""
    done = run("voices", "install", source, "--key", KEY, "--format", "json", *more)
    assert done.code == 0, done
    return Path(done.json()["installations"][0]["folder"])


# What would be done to every publisher's releases.


@pytest.mark.parametrize(
    "options", [["--rollback"], ["--again"], ["--key", OTHER], ["--key", OTHER, "--only-key"]]
)
def test_what_is_meant_for_one_must_name_it(desk: Path, options: list[str]) -> None:
    roots = sorted(map(install, ("agency", "client")))
    error = error_of(run("voices", "update", *options))
    assert error == (
        f"{options[0]} would change all 2 installations; name those that you mean: "
        f"{roots[0]}, {roots[1]}"
    )
    assert {read_installed(root).keys for root in roots} == {(TRUSTED,)}


def test_keys_are_pinned_where_it_was_said(desk: Path) -> None:
    agency, client = install("agency"), install("client")
    assert run("voices", "update", agency, "--key", OTHER).code == 0
    assert read_installed(agency).keys == (TRUSTED, key_digits(STRANGER))
    assert read_installed(client).keys == (TRUSTED,)


# What a URL stands for.


def test_a_url_finds_the_encoders_that_came_from_it(desk: Path) -> None:
    url = (desk / "agency").as_uri()
    assert run("models", "install", url, "--key", KEY).code == 0
    assert run("voices", "update", url).out == "agency: up to date at release 1\n"
    run("voices", "install", url, "--key", KEY)
    write_release(desk / "agency", 2, encoder=1)
    assert run("voices", "update", url).out.count("agency: release 1 → 2 ") == 2
    nothing = run("voices", "update", (desk / "client").as_uri())
    assert "is no installation" in nothing.err


@pytest.mark.parametrize("end", ["", "/index.json"])
def test_the_printed_line_holds_for_a_file_url(desk: Path, end: str) -> None:
    done = run("voices", "install", (desk / "agency").as_uri() + end, "--key", KEY)
    (desk / "onbrand.toml").write_text(f"root = true\n{done.out.splitlines()[-1].strip()}\n")
    listed = run("voices", "list")
    assert (listed.code, listed.err) == (0, "")
    assert "acme" in listed.out


@pytest.mark.parametrize("name", ['a"b', "a'b\\c", "a\\b", "a\tb", "a\x7fb", "ä b"])
def test_the_printed_line_is_toml_for_every_path(desk: Path, name: str) -> None:
    done = run("voices", "install", "agency", "--key", KEY, "--to", name)
    line = done.out.partition("onbrand.toml:\n")[2].strip()
    assert tomllib.loads(line) == {"voices": [str(desk / name)]}
    (desk / "onbrand.toml").write_text(f"root = true\n{line}\n", encoding="utf-8")
    assert settings_for(desk / "draft.md").voices == (desk / name,)


def test_paths_are_shown_without_detours(desk: Path) -> None:
    assert install("agency", "--to", "agency/../here") == desk / "here"
    assert run("voices", "update", "agency/../here", "--format", "json").json()["installations"][0][
        "folder"
    ] == str(desk / "here")


# What fails.


def test_a_failed_update_says_which_release_there_is(desk: Path) -> None:
    root = install("agency")
    write_release(desk / "agency", 2, key=STRANGER)
    done = run("voices", "update", "--format", "json")
    assert done.code == 2
    (failed,) = done.json()["installations"]
    assert failed.pop("error").startswith(f"{desk}/agency/index.json: is signed by {OTHER}")
    assert failed == {
        "folder": str(root),
        "status": "failed",
        "name": "agency",
        "release": 1,
        "source": str(desk / "agency" / "index.json"),
    }


def test_an_error_of_the_system_is_told_in_words(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = install("agency")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13), *(where and [where]))

    monkeypatch.setattr("onbrand_releases.install.update", refused)
    for where in ("", str(root / "releases")):
        error = error_of(run("voices", "update"))
        assert error == f"{where or root}: Permission denied"


def test_json_of_a_folder_whose_name_is_not_utf_8(desk: Path) -> None:
    done = run("voices", "update", os.fsdecode(b"y\xff"), "--format", "json")
    assert done.code == 2
    (failed,) = done.json()["installations"]
    assert failed["folder"] == str(desk / "y\ufffd")
    assert "is no installation" in failed["error"]


def test_a_release_without_encoders_says_so(desk: Path) -> None:
    write_release(desk / "agency", encoder=None, voices={})
    done = run("models", "install", "agency", "--key", KEY)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "agency: release 1 holds no encoders; its voices come with onbrand voices install\n"
    )


@pytest.mark.parametrize("command", ["install", "update", "rollback"])
def test_waiting_for_another_process_is_told_at_once(desk: Path, command: str) -> None:
    root = install("agency", "--to", "a b")
    write_release(desk / "agency", 2, encoder=1)
    run("voices", "update", root)
    free = threading.Event()

    def hold() -> None:
        with locked(root, lambda _line: None):
            held.set()
            free.wait(60)

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    threading.Timer(1.0, free.set).start()
    arguments = {
        "install": ["install", "agency", "--to", root],
        "update": ["update", root],
        "rollback": ["update", root, "--rollback"],
    }[command]
    done = run("voices", *arguments)
    holder.join()
    assert done.code == 0
    assert done.err.startswith(f"waiting for process {os.getpid()} on ")
    assert done.err.count("\n") == 1


# What is installed, and damaged.


def test_a_damaged_voice_of_an_installation_is_fetched_again(desk: Path) -> None:
    root = install("agency", "--to", "a b")
    voice = next(root.glob("releases/*/voices/acme"))
    fingerprint = Encoder.load(next(root.glob("releases/*/encoders/*"))).fingerprint
    advice = f'repair it: onbrand voices update "{root}"'
    (desk / "draft.md").write_text("We brand the oats simple.")
    check = ("check", "draft.md", "--voices", root, "--brand", "acme")

    def spoil(name: str) -> None:
        (voice / name).write_bytes(b"{")

    def lose_voices() -> None:
        shutil.rmtree(voice.parent)

    damages = {
        "head.safetensors: checksum does not match voice.json": lambda: spoil("head.safetensors"),
        "voice.json: is damaged (Input data was truncated)": lambda: spoil("voice.json"),
        "head.safetensors: is missing or unreadable": lambda: (voice / "head.safetensors").unlink(),
        "voices: no such folder of voices": lose_voices,
    }
    for message, damage in damages.items():
        damage()
        assert error_of(run(*check)).endswith(f"{message}; {advice}"), message
        if "voice.json: is" in message or "no such" in message:
            assert error_of(run("voices", "list", "--voices", root)).endswith(advice)
        _, problems = load_valid_voices([root], fingerprint)  # what the language server shows
        assert problems[0].endswith(advice)
        assert " repaired (" in run("voices", "update", root).out
    assert run(*check).code in (0, 1)


def test_a_damaged_encoder_of_an_installation_is_fetched_again(desk: Path) -> None:
    root = install("agency", "--to", "a b")
    bundle = next(root.glob("releases/*/encoders/*"))
    (desk / "draft.md").write_text("We brand the oats simple.")
    check = ("check", "draft.md", "--voices", root, "--brand", "acme")

    def spoil(name: str) -> None:
        (bundle / name).write_bytes(b"{")

    damages = {
        "model.onnx: has 1 bytes but encoder.json says ": lambda: spoil("model.onnx"),
        "encoder.json: broken manifest: ": lambda: spoil("encoder.json"),
        "tokenizer.json: is missing": lambda: (bundle / "tokenizer.json").unlink(),
    }
    for message, damage in damages.items():
        damage()
        error = error_of(run(*check))
        assert message in error
        assert error.endswith(f'; repair it: onbrand voices update "{root}"')
        assert " repaired (" in run("voices", "update", root).out
    assert run(*check).code in (0, 1)


def test_a_damaged_voice_of_ones_own_is_trained_again(desk: Path) -> None:
    root = install("agency")
    own = Path(shutil.copytree(next(root.glob("releases/*/voices")), desk / "own"))
    (own / "acme" / "voice.json").write_text("{")
    error = error_of(run("voices", "list", "--voices", own))
    assert error.endswith("; train the voice again or copy it anew")
