"""Voices from an installation: those of the current release, on the encoder that came with them."""

from __future__ import annotations

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from installed_samples import TINY, switch, tiny_release
from release_samples import tiny_voice
from tiny_encoder import tiny_encoder

from onbrand import Encoder, Scorer
from onbrand.errors import OnbrandError
from onbrand.installation import STATE_FILE
from onbrand.voice import storage as library
from onbrand.voice.storage import (
    encoder_for,
    find_voices,
    list_manifests,
    load_valid_voices,
    load_voices,
    voices_signature,
    with_consistent_release,
)

LINES = ["We brand the oats simple.", "Your new brand is in to you."]
OTHERS = {"acme": 1, "gamma": 1}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An installation whose second release has other voices on another encoder."""
    root = tmp_path / "installation"
    tiny_release(root, 1, TINY, encoder=0)
    tiny_release(root, 2, OTHERS, encoder=1)
    switch(root, 1)
    return root


def release(root: Path, number: int) -> Path:
    return next(root.glob(f"releases/{number}-*"))


def scores(root: Path) -> bytes:
    return Scorer.load(root).score(LINES).tobytes()


def test_the_current_release_is_what_there_is(root: Path) -> None:
    assert find_voices([root])["beta"] == release(root, 1) / "voices/beta"
    switch(root, 2, 1)
    folder = release(root, 2)
    assert list(find_voices([root])) == ["acme", "gamma"]
    assert [voice.folder for voice in load_voices([root], ["gamma"])] == [folder / "voices/gamma"]
    assert [place for place, _ in list_manifests([root])] == [
        folder / "voices/acme",
        folder / "voices/gamma",
    ]
    fingerprint = Encoder.load(folder / "encoders/tiny").fingerprint
    voices, problems = load_valid_voices([root], fingerprint)
    assert ([voice.brand for voice in voices], problems) == (["acme", "gamma"], [])
    switch(root, 1, 2)
    assert list(find_voices([root])) == ["acme", "beta"]


def test_voices_bring_their_encoder(root: Path) -> None:
    assert encoder_for([root]) == release(root, 1) / "encoders/tiny"
    first = scores(root)
    switch(root, 2, 1)
    assert encoder_for([root]) == release(root, 2) / "encoders/tiny"
    assert scores(root) != first
    assert encoder_for([release(root, 2) / "voices"]) == release(root, 2) / "encoders/tiny"


def test_an_encoder_that_is_named_wins(root: Path, tmp_path: Path) -> None:
    tiny_encoder(tmp_path / "own", 0)
    named = Scorer.load(root, encoder=tmp_path / "own")
    assert named.score(LINES).tobytes() == scores(root)
    switch(root, 2, 1)
    with pytest.raises(OnbrandError, match="train it again or name its encoder"):
        Scorer.load(root, encoder=tmp_path / "own")


def test_voices_without_a_bundle_are_on_the_default_one(root: Path, example_voices: Path) -> None:
    assert encoder_for([example_voices]) is None
    assert encoder_for([]) is None
    shutil.rmtree(release(root, 1) / "encoders/tiny")
    assert encoder_for([root]) is None
    with pytest.raises(OnbrandError, match="was trained on encoder tiny"):
        Scorer.load(root)


def test_of_two_encoders_the_one_that_the_brands_need(root: Path) -> None:
    folder = release(root, 1)
    other = tiny_encoder(folder / "encoders/other", 5)
    tiny_voice(folder / "voices/zeta", "zeta", other, 5)
    assert encoder_for([root]) == folder / "encoders/tiny", "most of them need it"
    assert encoder_for([root], ["zeta"]) == folder / "encoders/other"
    assert Scorer.load(root, brands=["zeta"]).brands == ("zeta",)
    with pytest.raises(OnbrandError, match="'zeta' needs encoder tiny .* needs tiny"):
        Scorer.load(root)


def test_folders_that_need_different_encoders_are_refused_by_name(
    root: Path, example_voices: Path
) -> None:
    for folders in ([root, example_voices], [example_voices, root]):
        with pytest.raises(OnbrandError, match=r"needs encoder .* needs .* train them on one"):
            Scorer.load(*folders)
    assert Scorer.load(root, example_voices, brands=["oatfolk"]).brands == ("oatfolk",)
    assert Scorer.load(root, example_voices, brands=["beta"]).brands == ("beta",)


def test_no_switch_is_missed_however_quick(root: Path) -> None:
    pointer = root / STATE_FILE
    os.utime(pointer, ns=(1, 1))
    before, size = voices_signature([root]), pointer.stat().st_size
    switch(root, 2)
    os.utime(pointer, ns=(1, 1))
    os.utime(root, ns=(1, 1))
    assert pointer.stat().st_size == size
    assert voices_signature([root]) != before
    switch(root, 1)
    assert voices_signature([root]) == before


def test_a_damaged_pointer_takes_no_other_folder_with_it(root: Path, example_voices: Path) -> None:
    sound = voices_signature([root])
    (root / STATE_FILE).write_text('{"format": 1')
    with pytest.raises(OnbrandError, match="damaged"):
        Scorer.load(root)
    assert voices_signature([root]) != sound
    fingerprint = Encoder.load().fingerprint
    voices, (problem,) = load_valid_voices([root, example_voices], fingerprint)
    assert len(voices) == 4
    assert str(root / STATE_FILE) in problem
    assert encoder_for([root, example_voices]) is None


def test_a_switch_between_two_reads_mixes_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = scores(root)
    load = library.load_voice

    def load_and_switch(folder: Path) -> object:
        voice = load(folder)
        switch(root, 2, 1)
        return voice

    monkeypatch.setattr(library, "load_voice", load_and_switch)
    assert scores(root) == expected


@pytest.mark.parametrize("missing", ["voices/acme", "voices", "encoders", ""])
def test_a_release_that_is_deleted_while_it_is_loaded_is_left_for_the_next(
    root: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    tiny_release(root, 3, {"delta": 3}, encoder=3)
    load = library.load_voice
    reads: list[Path] = []

    def load_late(folder: Path) -> object:
        reads.append(folder)
        if len(reads) == 1:
            switch(root, 3, 2)
            shutil.rmtree(release(root, 1) / missing)
        return load(folder)

    monkeypatch.setattr(library, "load_voice", load_late)
    assert Scorer.load(root).brands == ("delta",)
    assert reads[0].parent == release_voices(root, 1)

    # The same for programs that run on whatever is damaged.
    tiny_release(root, 4, {"eta": 3}, encoder=3)
    tiny_release(root, 5, {"eta": 3}, encoder=3)

    def sound(folders: object) -> list[str]:
        fingerprint = Encoder.load(encoder_for(folders)).fingerprint
        reads.clear()
        monkeypatch.setattr(library, "load_voice", load_later)
        return [voice.brand for voice in load_valid_voices(folders, fingerprint)[0]]

    def load_later(folder: Path) -> object:
        if folder.parent == release_voices(root, 3):
            switch(root, 5, 4)
            shutil.rmtree(release(root, 3) / missing)
        return load(folder)

    assert with_consistent_release([root], sound) == ["eta"]


def release_voices(root: Path, number: int) -> Path:
    return root / "releases" / f"{number}-{number:012x}" / "voices"


def test_a_voice_that_went_unnoticed_is_missed_all_the_same(root: Path) -> None:
    """Nothing fails where a voice was deleted before anybody looked for it."""
    tiny_release(root, 3, OTHERS, encoder=1)
    seen: list[list[str]] = []

    def read(folders: object) -> list[str]:
        if not seen:
            switch(root, 3, 2)
            shutil.rmtree(release(root, 1) / "voices/acme")
        seen.append(list(find_voices(folders)))
        return seen[-1]

    assert with_consistent_release([root], read) == ["acme", "gamma"]
    assert seen == [["beta"], ["acme", "gamma"]]


def test_what_is_wrong_for_good_is_told_at_once(root: Path) -> None:
    shutil.rmtree(release(root, 1))
    with pytest.raises(OnbrandError, match="no such folder of voices"):
        Scorer.load(root)
    switch(root, 2)
    head = release(root, 2) / "voices/acme/head.safetensors"
    head.write_bytes(head.read_bytes()[:-1])
    with pytest.raises(OnbrandError, match="checksum"):
        Scorer.load(root)


def test_loading_beside_switches_gives_one_release_or_the_other(root: Path) -> None:
    expected = {}
    for number in (1, 2):
        switch(root, number)
        expected[Scorer.load(root).brands] = scores(root)
    stop = threading.Event()

    def back_and_forth() -> int:
        switches = 0
        while not stop.is_set():
            switches += 1
            switch(root, 1 + switches % 2, 2 - switches % 2)
        return switches

    def load(_number: int) -> None:
        scorer = Scorer.load(root, threads=1)
        assert scorer.score(LINES).tobytes() == expected[scorer.brands]

    with ThreadPoolExecutor(4) as pool:
        switching = pool.submit(back_and_forth)
        try:
            for _ in pool.map(load, range(150)):
                pass
        finally:
            stop.set()
        assert switching.result(60) > 2


def test_servers_get_one_release_or_the_other_too(root: Path) -> None:
    stop = threading.Event()

    def back_and_forth() -> None:
        number = 1
        while not stop.is_set():
            switch(root, number, 3 - number)
            number = 3 - number

    def load(folders: object) -> tuple[str, np.ndarray, list[str]]:
        encoder = Encoder.load(encoder_for(folders), threads=1)
        voices, problems = load_valid_voices(folders, encoder.fingerprint)
        return encoder.fingerprint, Scorer(encoder, voices).brands, problems

    with ThreadPoolExecutor(3) as pool:
        switching = pool.submit(back_and_forth)
        try:
            found = list(pool.map(lambda _: with_consistent_release([root], load), range(150)))
        finally:
            stop.set()
        switching.result(60)
    pairs = {(fingerprint, brands) for fingerprint, brands, _ in found}
    assert {brands for _, brands in pairs} <= {tuple(TINY), tuple(OTHERS)}
    assert len(pairs) <= 2
    assert not any(problems for _, _, problems in found)
