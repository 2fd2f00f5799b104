"""Workspaces whose voices are installed releases: each on its encoder, reloaded together."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from installed_samples import switch, tiny_release

from onbrand import Report, Scorer
from onbrand.files import FileSignature
from onbrand_slack import scoring as module
from onbrand_slack.config import Config
from onbrand_slack.model import Pasted, Tenant
from onbrand_slack.scoring import LOOK_EVERY, MAX_ENCODERS, Scoring

HERE = Tenant("T0001")
DRAFT = Pasted("We brand the oats simple.\n\nYour new brand is in to you.")


class Clock:
    """Seconds that pass with every look."""

    now = 0.0

    def __call__(self) -> float:
        self.now += LOOK_EVERY
        return self.now


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    return tmp_path / "voices"


@pytest.fixture
def scoring(voices: Path) -> Scoring:
    return Scoring(Config("socket", voices, "slack.db", bot_token="xoxb-1"), clock=Clock())


@pytest.fixture
def many(voices: Path) -> Scoring:
    return Scoring(Config("http", voices, "slack.db"), clock=Clock())


def judged(report: Report) -> list[float | None]:
    return [sentence.probability for sentence in report.sentences]


def expected(root: Path) -> list[float | None]:
    return judged(Scorer.load(root).check(DRAFT.text, brand="acme"))


def test_voices_and_encoder_change_together(scoring: Scoring, voices: Path) -> None:
    tiny_release(voices, 1, {"acme": 0}, encoder=0)
    tiny_release(voices, 2, {"acme": 1, "beta": 1}, encoder=1)
    results = []
    for number, brands in ((1, ("acme",)), (2, ("acme", "beta")), (1, ("acme",))):
        switch(voices, number)
        assert scoring.brands(HERE) == brands
        results.append(judged(scoring.check(HERE, DRAFT, "acme")))
        assert results[-1] == expected(voices)
    assert results[0] == results[2] != results[1]


def test_voices_of_a_folder_are_on_the_encoder_that_onbrand_ships(
    many: Scoring, voices: Path, example_voices: Path
) -> None:
    voices.mkdir()
    (voices / "T0001").symlink_to(example_voices)
    tiny_release(voices / "T0002", 1)
    switch(voices / "T0002", 1)
    assert many.brands(HERE)
    assert many.brands(Tenant("T0002")) == ("acme", "beta")
    names = {many.scorer(Tenant(f"T000{n}")).encoder.name for n in (1, 2)}
    assert "tiny" in names
    assert len(names) == 2


def test_workspaces_share_an_encoder_wherever_it_lies(many: Scoring, voices: Path) -> None:
    scorers = []
    for n in range(3):
        tiny_release(voices / f"T000{n}", 1, {"acme": n})
        switch(voices / f"T000{n}", 1)
        scorers.append(many.scorer(Tenant(f"T000{n}")))
    assert len({id(scorer.encoder) for scorer in scorers}) == 1
    assert len({scorer.score([DRAFT.text]).item() for scorer in scorers}) == 3


def test_only_so_many_encoders_stay_in_memory(many: Scoring, voices: Path) -> None:
    loaded = []
    for n in range(MAX_ENCODERS + 2):
        tiny_release(voices / f"T000{n}", 1, encoder=n)
        switch(voices / f"T000{n}", 1)
        loaded.append(weakref.ref(many.scorer(Tenant(f"T000{n}")).encoder))
        many.scorer(Tenant("T0000"))
    gc.collect()
    kept = [n for n, encoder in enumerate(loaded) if encoder() is not None]
    assert kept == [0, *range(3, MAX_ENCODERS + 2)], "the first is used all the time"
    assert many.brands(Tenant("T0001")) == ("acme", "beta"), "it comes back when it is needed"


def test_a_damaged_release_leaves_the_old_one_in_use(
    scoring: Scoring, voices: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_release(voices, 1)
    folder = tiny_release(voices, 2, encoder=1)
    (folder / "encoders" / "tiny" / "model.onnx").write_bytes(b"half")
    switch(voices, 1)
    before = scoring.scorer(HERE)
    switch(voices, 2, 1)
    with caplog.at_level(logging.WARNING):
        assert scoring.scorer(HERE) is before
        assert scoring.scorer(HERE) is before
    (line,) = caplog.messages
    assert "model.onnx" in line


def test_drafts_that_are_judged_beside_switches(
    scoring: Scoring, voices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for number in (1, 2):
        tiny_release(voices, number, {"acme": number}, encoder=number)
        switch(voices, number)
        results.append(expected(voices))
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    stop = threading.Event()

    def back_and_forth() -> None:
        number = 1
        while not stop.is_set():
            switch(voices, number, 3 - number)
            number = 3 - number

    with ThreadPoolExecutor(4) as pool:
        switching = pool.submit(back_and_forth)
        try:
            checks = pool.map(lambda _: scoring.check(HERE, DRAFT, "acme"), range(150))
            found = [judged(report) for report in checks]
        finally:
            stop.set()
        switching.result(60)
    assert all(one in results for one in found)
    assert scoring.scorer(HERE).score([DRAFT.text]) == Scorer.load(voices).score([DRAFT.text])


def test_a_release_that_comes_and_goes_while_it_is_read_does_not_stay(
    scoring: Scoring, voices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        tiny_release(voices, number, {"acme": number}, encoder=number)
    switch(voices, 1)
    look, looks = module.voices_signature, []

    def look_and_switch(folders: Iterable[Path]) -> FileSignature:
        looks.append(look(folders))
        if len(looks) == 1:
            switch(voices, 2, 1)
        return looks[-1]

    monkeypatch.setattr(module, "voices_signature", look_and_switch)
    second = judged(scoring.check(HERE, DRAFT, "acme"))
    assert second == expected(voices)
    switch(voices, 1, 2)
    assert judged(scoring.check(HERE, DRAFT, "acme")) == expected(voices) != second
