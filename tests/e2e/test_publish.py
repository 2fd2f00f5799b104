"""``onbrand models publish`` and ``keygen``: what laptops are given."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from cli_runner import error_of, run, tree
from release_desk import Publisher, pem_of
from release_samples import KEY, LINES, STRANGER, TRUSTED

from onbrand import Scorer
from onbrand.encoder import default_bundle, read_manifest
from onbrand_releases import publish as publishing
from onbrand_releases import signing
from onbrand_releases.archive import unpack
from onbrand_releases.index import MAX_RELEASE, encode, read_index, sign_index
from onbrand_releases.signing import key_digits, parse_public_key


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    monkeypatch.delenv(signing.PASSPHRASE, raising=False)
    monkeypatch.delenv(signing.SIGNING_KEY, raising=False)
    return Publisher(tmp_path)


def archives(desk: Publisher) -> set[str]:
    return {str(path.relative_to(desk.release)) for path in desk.release.glob("*/*.tar.gz")}


def test_what_is_published_can_be_used(desk: Publisher, tmp_path: Path) -> None:
    done = desk.publish()
    assert "agency, release 1" in done.out
    assert (
        "keep the folder for the next one, or publish that one with --name agency --release 2"
        in (done.out)
    )
    assert f"signed by ed25519:{TRUSTED}" in done.out
    assert [line.split()[0] for line in done.out.splitlines() if line.endswith(" new ")] == [
        *("tiny", "acme", "beta")
    ]
    index = desk.index()
    for kind, packages in (("encoders", index.encoders), ("voices", index.voices)):
        for package in packages:
            unpack(
                desk.release / package.archive, package, tmp_path / "there" / kind / package.name
            )
    scorer = Scorer.load(tmp_path / "there/voices", encoder=tmp_path / "there/encoders/tiny")
    mine = Scorer.load(desk.voices, encoder=desk.bundle)
    assert scorer.score(LINES).tolist() == mine.score(LINES).tolist()
    assert sorted(path.name for path in desk.release.iterdir()) == [
        *(".lock", "encoders", "index.json", "voices")
    ]


def test_laptops_fetch_only_what_changed(desk: Publisher) -> None:
    first = desk.published()
    before = tree(desk.release)
    desk.train("acme", 1)
    done = desk.publish()
    second = desk.index()
    assert (first.release, second.release) == (1, 2)
    assert (second.encoders, second.voices[1]) == (first.encoders, first.voices[1])
    assert second.voices[0].archive != first.voices[0].archive
    rows = {line.split()[0]: line.split()[-1] for line in done.out.splitlines() if line.strip()}
    assert (rows["tiny"], rows["acme"], rows["beta"]) == ("unchanged", "new", "unchanged")
    after = tree(desk.release)
    assert {name: after[name] for name in before if name != "index.json"} == {
        name: data for name, data in before.items() if name != "index.json"
    }
    assert after["history/1.json"] == before["index.json"]


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_archives_stay_for_as_many_releases_as_asked(desk: Publisher, keep: int) -> None:
    named: list[set[str]] = []
    for seed in range(4):
        desk.train("acme", seed)
        index = desk.published("--keep", str(keep))
        named.append({package.archive for package in (*index.voices, *index.encoders)})
    assert archives(desk) == set().union(*named[-keep:])
    history = sorted(path.name for path in desk.release.glob("history/*"))
    assert history == [f"{number}.json" for number in range(5 - keep, 4)]


def test_a_release_is_all_that_is_named(desk: Publisher) -> None:
    desk.published()
    done = run(
        *("models", "publish", "-o", desk.release, "--key", desk.key),
        *("--voices", desk.voices / "acme", "--encoder", desk.bundle),
    )
    assert "warning: no longer in the release: beta" in done.err
    assert [voice.name for voice in desk.index().voices] == ["acme"]


def test_training_lines_can_be_left_out(desk: Publisher, tmp_path: Path) -> None:
    told = desk.publish()
    assert "warning: 2 voices hold training lines" in told.err
    assert "--no-examples leaves them out" in told.err
    done = desk.publish("--no-examples")
    assert "training lines, which" not in done.err
    assert "hold training lines (acme, beta); --keep 1 removes them" in done.err
    for voice in desk.index().voices:
        assert set(voice.files) == {"voice.json", "head.safetensors"}
        unpack(desk.release / voice.archive, voice, tmp_path / "there" / voice.name)
    assert not any(
        line.encode() in data for data in tree(tmp_path / "there").values() for line in LINES
    )
    bare = Scorer.load(tmp_path / "there", encoder=desk.bundle)
    whole = Scorer.load(desk.voices, encoder=desk.bundle)
    assert bare.score(LINES).tolist() == whole.score(LINES).tolist()
    assert whole.nearest(LINES[0], "acme")
    assert bare.nearest(LINES[0], "acme") == []
    again = desk.index()
    after = desk.publish("--no-examples")
    assert "training lines" not in after.err
    assert desk.index().voices == again.voices
    assert len(archives(desk)) == len(("tiny", "acme", "beta"))
    assert (desk.voices / "acme" / "examples.jsonl").exists()


def test_without_the_earlier_releases_their_training_lines_go_too(desk: Publisher) -> None:
    desk.published()
    assert "training lines" not in desk.publish("--no-examples", "--keep", "1").err
    assert len(archives(desk)) == len(("tiny", "acme", "beta"))


def test_copies_without_training_lines_are_made_where_nothing_stays(
    desk: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[Path] = []
    pack = publishing.pack

    def watched(folder: Path, files: Iterable[str], target: Path) -> object:
        packed.append(folder)
        return pack(folder, files, target)

    monkeypatch.setattr(publishing, "pack", watched)
    desk.published("--no-examples")
    made = [folder for folder in packed if folder != desk.bundle]
    assert [folder.name for folder in made] == ["acme", "beta"]
    assert all(folder.is_relative_to(desk.release / ".new") for folder in made)
    assert not (desk.release / ".new").exists()


def test_voices_on_the_encoder_that_ships_need_no_bundle(desk: Publisher) -> None:
    desk.encoder = read_manifest(default_bundle())
    desk.train("acme")
    desk.train("beta")
    done = desk.publish(encoder=False)
    assert "need the encoder that ships with onbrand" in done.err
    assert desk.index().encoders == ()


def test_a_key_from_the_environment(desk: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.SIGNING_KEY, desk.key.read_text())
    desk.key.unlink()
    arguments = ("-o", desk.release, "--voices", desk.voices, "--encoder", desk.bundle)
    assert run("models", "publish", *arguments, "--name", "ours").code == 0
    assert desk.index().name == "ours"


def test_numbers_go_up(desk: Publisher) -> None:
    assert desk.published("--release", "5").release == 5
    assert desk.published().release == 6
    for number in ("1", "5", "6"):
        assert desk.refusal("--release", number).endswith("--release must be 7 or more")
    assert desk.published("--release", "20").release == 20


def test_numbers_do_not_end(desk: Publisher) -> None:
    assert "is not in the range" in desk.refusal("--release", str(10**15 + 1))
    assert desk.published("--release", str(10**15)).release == 10**15
    assert desk.published().release == 10**15 + 1
    last = msgspec.structs.replace(desk.index(), release=MAX_RELEASE)
    (desk.release / "index.json").write_bytes(encode(sign_index(last, KEY)))
    assert "the last number there is; publish under another --name" in desk.refusal()


def test_only_the_first_release_of_a_folder_says_so(desk: Publisher) -> None:
    assert "the first release of the folder" in desk.publish().out
    assert "the first release of the folder" not in desk.publish().out


def test_a_new_key_takes_the_place_of_another(desk: Publisher) -> None:
    by_the_old = desk.published().voices[0].archive
    desk.write_key(pem_of(STRANGER))
    assert "name it with --previous-key if a new one takes its place" in desk.refusal()
    stranger = key_digits(STRANGER)
    assert "a key that you do not trust" in desk.refusal("--previous-key", f"ed25519:{stranger}")
    desk.train("acme", 1)
    done = desk.publish("--previous-key", f"ed25519:{TRUSTED}")
    assert f"trust that key: onbrand voices update DIR --key ed25519:{stranger}" in done.err
    assert (desk.index(stranger).name, desk.index(stranger).release) == ("agency", 2)
    assert "signed by another key" not in desk.publish("--keep", "3").err
    assert by_the_old in archives(desk), "it has to stay for as long as others"


def test_a_previous_key_goes_with_a_previous_release(desk: Publisher) -> None:
    message = desk.refusal("--previous-key", f"ed25519:{TRUSTED}")
    assert message == f"{desk.release}: holds no release by the --previous-key; check the folder"


def test_the_name_stays(desk: Publisher) -> None:
    desk.published()
    assert "releases here are named 'agency'" in desk.refusal("--name", "other")
    assert desk.published("--name", "agency").release == 2
    assert desk.published().name == "agency"


def test_the_first_release_needs_a_name(desk: Publisher) -> None:
    arguments = ("-o", desk.release, "--voices", desk.voices, "--key", desk.key)
    message = error_of(run("models", "publish", *arguments))
    assert message.startswith(f"{desk.release}: the first release of a folder needs a name")
    assert message.endswith("--name acme")
    assert not desk.release.exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 129, "a\x1b[2J", "a\udcff"])
def test_a_name_that_cannot_be_shown(desk: Publisher, name: str) -> None:
    assert "1 to 128 printable characters" in desk.refusal("--name", name)


def test_keygen_writes_a_secret_and_prints_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "release.key"
    done = run("models", "keygen", "-o", path)
    assert done.code == 0
    assert parse_public_key(done.out)
    assert "not encrypted: set ONBRAND_KEY_PASSPHRASE" in done.err
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert before not in (done.out + done.err).encode()
    again = error_of(run("models", "keygen", "-o", path))
    assert again == f"{path}: exists, and a key is never overwritten; name another file"
    assert path.read_bytes() == before


def test_a_key_made_with_a_passphrase_signs_with_it(desk: Publisher) -> None:
    desk.key.unlink()
    secret = {signing.PASSPHRASE: "open sesame"}
    made = run("models", "keygen", "-o", desk.key, env=secret)
    assert "(encrypted)" in made.err
    assert "put its passphrase in the environment" in desk.refusal()
    arguments = ("-o", desk.release, "--voices", desk.voices, "--encoder", desk.bundle)
    arguments += ("--key", desk.key, "--name", "agency")
    done = run("models", "publish", *arguments, env=secret)
    assert done.code == 0
    assert made.out.strip() in done.out
    read_index((desk.release / "index.json").read_bytes(), {parse_public_key(made.out)})


def test_a_key_in_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in error_of(
        run("models", "keygen", "-o", tmp_path / "file" / "release.key")
    )
