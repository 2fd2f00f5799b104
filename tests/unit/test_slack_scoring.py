"""Voices by workspace on one encoder: whose they are, and when they are loaded."""

from __future__ import annotations

import logging
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onbrand import Encoder, Scorer
from onbrand.errors import OnbrandError
from onbrand_slack import scoring as module
from onbrand_slack.config import Config
from onbrand_slack.model import Pasted, Tenant
from onbrand_slack.scoring import LOOK_EVERY, MAX_WORKSPACES, Scoring

T1, T2 = Tenant("T0001"), Tenant("T0002", "E0001")
DRAFT = Pasted("Oats are simple.")


class Clock:
    """Seconds, as the test tells them."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self) -> None:
        self.now += LOOK_EVERY


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    folder = tmp_path / "voices"
    folder.mkdir()
    return folder


@pytest.fixture
def one(voices: Path, encoder: Encoder, clock: Clock) -> Scoring:
    """A scoring that serves one workspace."""
    config = Config("socket", voices, "slack.db", bot_token="xoxb-1")
    return Scoring(config, encoder=encoder, clock=clock)


@pytest.fixture
def many(voices: Path, encoder: Encoder, clock: Clock) -> Scoring:
    """A scoring that serves many."""
    return Scoring(Config("http", voices, "slack.db"), encoder=encoder, clock=clock)


@pytest.fixture
def put(example_voices: Path, voices: Path):
    def put(brand: str, folder: str = ".") -> Path:
        place = voices / folder / brand
        shutil.copytree(example_voices / brand, place)
        return place

    return put


def test_one_workspace_has_the_voices_of_the_folder(one: Scoring, put) -> None:
    put("quillpot"), put("oatfolk")
    assert one.brands(T1) == one.brands(T2) == ("oatfolk", "quillpot")
    put("varnholt-pumps", "T0001")
    assert one.brands(T1) == ("varnholt-pumps",)
    assert one.brands(T2) == ("oatfolk", "quillpot")


def test_many_workspaces_have_their_own_and_no_others(many: Scoring, put) -> None:
    put("quillpot"), put("oatfolk", "T0001"), put("varnholt-pumps", "T0002")
    assert many.brands(T1) == ("oatfolk",)
    assert many.brands(T2) == ("varnholt-pumps",)
    assert many.scorer(T1).encoder is many.scorer(T2).encoder
    with pytest.raises(OnbrandError, match="T0003"):
        many.brands(Tenant("T0003"))
    with pytest.raises(OnbrandError, match="no voice for brand 'oatfolk'"):
        many.check(T2, DRAFT, "oatfolk")


@pytest.mark.parametrize("name", ["..", ".", "", "T1/../T2", "T0001\n", "t0001", "T" * 21, "/T1"])
def test_an_id_that_is_none_never_becomes_a_path(
    many: Scoring, one: Scoring, put, name: str
) -> None:
    put("oatfolk"), put("quillpot", "t0001")
    for scoring in (one, many):
        with pytest.raises(OnbrandError, match="names a workspace"):
            scoring.brands(Tenant(name))


def test_changes_are_seen_after_a_while(one: Scoring, put, clock: Clock) -> None:
    put("oatfolk")
    before = one.scorer(T1)
    put("quillpot")
    assert one.scorer(T1) is before
    clock.pass_by()
    after = one.scorer(T1)
    assert after.brands == ("oatfolk", "quillpot")
    clock.pass_by()
    assert one.scorer(T1) is after, "nothing changed, so nothing is loaded"


def test_a_voice_that_is_trained_again_or_taken_away(
    one: Scoring, put, clock: Clock, example_voices: Path
) -> None:
    place = put("oatfolk")
    put("quillpot")
    before = one.scorer(T1).voice("oatfolk")
    shutil.rmtree(place)
    shutil.copytree(example_voices / "oatfolk", place, copy_function=shutil.copyfile)
    clock.pass_by()
    assert one.scorer(T1).voice("oatfolk") is not before
    shutil.rmtree(place)
    clock.pass_by()
    assert one.brands(T1) == ("quillpot",)


def test_a_damaged_voice_takes_no_other_with_it(
    one: Scoring, put, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    head = put("oatfolk") / "head.safetensors"
    put("quillpot")
    sound = head.read_bytes()
    head.write_bytes(sound[:-1])
    with caplog.at_level(logging.WARNING):
        assert one.brands(T1) == ("quillpot",)
    assert "oatfolk" in caplog.text
    head.write_bytes(sound)
    clock.pass_by()
    assert one.brands(T1) == ("oatfolk", "quillpot")
    voice = one.scorer(T1).voice("oatfolk")
    head.write_bytes(sound[:-1])
    clock.pass_by()
    assert one.scorer(T1).voice("oatfolk") is voice, "the one in memory is still good"


def test_a_voice_that_may_not_be_read(one: Scoring, put, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = put("oatfolk")
    put("quillpot")
    is_file = Path.is_file

    def may_not(self: Path) -> bool:
        if closed in self.parents:
            raise PermissionError(13, "Permission denied", str(self))
        return is_file(self)

    monkeypatch.setattr(Path, "is_file", may_not)
    assert one.brands(T1) == ("quillpot",)


def test_without_voices_there_is_a_word_until_there_are_some(
    one: Scoring, many: Scoring, put, clock: Clock
) -> None:
    for scoring in (one, many):
        with pytest.raises(OnbrandError, match="no voices yet"):
            scoring.check(T1, DRAFT, "oatfolk")
    put("oatfolk", "T0001")
    clock.pass_by()
    assert one.brands(T1) == many.brands(T1) == ("oatfolk",)


def test_voices_are_warm_before_the_first_draft(
    one: Scoring, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("oatfolk"), put("quillpot")
    loads = []
    load = module.load_valid_voices
    monkeypatch.setattr(module, "load_valid_voices", lambda *a: loads.append(a) or load(*a))
    one.warm(T1)
    assert len(loads) == 1
    one.check(T1, DRAFT, "oatfolk")
    assert len(loads) == 1


def test_nothing_to_warm_is_told_and_no_trouble(
    one: Scoring, caplog: pytest.LogCaptureFixture
) -> None:
    one.warm(T1)
    one.warm(Tenant(""))
    assert [message.rpartition(": ")[2] for message in caplog.messages] == [
        "no voices here; train one with onbrand train"
    ]


def test_the_voices_of_workspaces_that_are_long_silent_are_let_go(
    many: Scoring, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("oatfolk", "T0001")
    first = many.scorer(T1)
    for n in range(MAX_WORKSPACES - 1):
        with pytest.raises(OnbrandError):
            many.scorer(Tenant(f"T9{n:03}"))
    assert many.scorer(T1) is first
    for n in range(MAX_WORKSPACES):
        with pytest.raises(OnbrandError):
            many.scorer(Tenant(f"T8{n:03}"))
    assert many.scorer(T1) is not first


def test_while_one_thread_loads_anew_the_others_go_on(
    one: Scoring, put, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("oatfolk")
    before = one.scorer(T1)
    put("quillpot")
    clock.pass_by()
    loading, go_on = threading.Event(), threading.Event()
    load = module.load_valid_voices

    def slowly(*arguments):
        loading.set()
        assert go_on.wait(60)
        return load(*arguments)

    monkeypatch.setattr(module, "load_valid_voices", slowly)
    with ThreadPoolExecutor(1) as pool:
        fresh = pool.submit(one.scorer, T1)
        assert loading.wait(60)
        assert one.scorer(T1) is before
        go_on.set()
        assert fresh.result(60).brands == ("oatfolk", "quillpot")


def test_many_threads_load_a_workspace_once(
    one: Scoring, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("oatfolk")
    loads: list[object] = []
    load = module.load_valid_voices

    def counted(*arguments):
        loads.append(arguments)
        return load(*arguments)

    monkeypatch.setattr(module, "load_valid_voices", counted)
    together = threading.Barrier(8)

    def ask() -> Scorer:
        together.wait(60)
        return one.scorer(T1)

    with ThreadPoolExecutor(8) as pool:
        scorers = {id(each.result(60)) for each in [pool.submit(ask) for _ in range(8)]}
    assert len(scorers) == len(loads) == 1
