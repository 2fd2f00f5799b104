"""Drafts judged by the voices of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onbrand import Cancelled, Encoder, Scorer
from onbrand.errors import OnbrandError
from onbrand_slack import scoring as module
from onbrand_slack.config import Config
from onbrand_slack.model import Pasted, Tenant
from onbrand_slack.scoring import Scoring

HERE = Tenant("T0001")
DRAFT = Pasted(
    "Oats are simple.\n\nWe utilise synergies to leverage the value chain going forward."
)


def serving(voices: Path, encoder: Encoder, **more: Any) -> Scoring:
    """Serve one workspace, which has a folder of voices."""
    config = Config("socket", voices, "slack.db", bot_token="xoxb-1")
    return Scoring(config, encoder=encoder, **more)


@pytest.fixture
def one(encoder: Encoder, example_voices: Path) -> Scoring:
    return serving(example_voices, encoder)


def test_a_draft_is_judged_in_its_format(one: Scoring, encoder: Encoder) -> None:
    report = one.check(HERE, DRAFT, "oatfolk")
    assert report.brand == "oatfolk"
    assert [s.text for s in report.sentences] == DRAFT.text.split("\n\n")
    scorer = Scorer(encoder, one.scorer(HERE).bank.voices)
    assert report == scorer.check(DRAFT.text, brand="oatfolk", path="draft", read_as="text")
    page = Pasted("<h1>Oats are simple</h1><p>Eat them daily.</p>", "html")
    judged = one.check(HERE, page, "oatfolk").sentences
    assert [s.text for s in judged] == ["Oats are simple", "Eat them daily."]
    p = report.probability
    assert p is not None
    assert one.check(HERE, DRAFT, "oatfolk", gate=p).verdict == "forward"
    assert one.check(HERE, DRAFT, "oatfolk", gate=min(1.0, p + 0.001)).verdict == "review"


def test_the_brand_that_was_asked_for_counts_whatever_the_draft_says(one: Scoring) -> None:
    draft = Pasted(
        f"---\nbrand: nobody\n---\n<!-- onbrand: brand no-one -->\n\n{DRAFT.text}", "markdown"
    )
    assert {s.brand for s in one.check(HERE, draft, "quillpot").sentences} == {"quillpot"}


def test_unknown_brands_and_drafts_without_end(
    one: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OnbrandError, match="did you mean 'oatfolk'"):
        one.check(HERE, DRAFT, "oatfolc")
    monkeypatch.setattr(module, "MAX_DRAFT_BYTES", 3 * 1024**2)
    with pytest.raises(OnbrandError, match="longer than 3 MB"):
        one.check(HERE, Pasted("é " * 1024**2 + "\ud800"), "oatfolk")


def test_scoring_steps_aside_between_batches_and_can_be_ended(
    encoder: Encoder, example_voices: Path
) -> None:
    calls: list[int] = []

    def long(first: int) -> Pasted:
        # Sentences of its own each time: what the encoder knows needs no batch.
        lines = (f"We sell the number {first + n} to people who like oats." for n in range(60))
        return Pasted("\n\n".join(lines))

    scoring = serving(example_voices, encoder, step_aside=lambda: calls.append(1))
    scoring.check(HERE, long(0), "oatfolk")
    assert len(calls) > 2

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        serving(example_voices, encoder, step_aside=stop).check(HERE, long(100), "oatfolk")


def test_only_so_many_sentences_are_explained(
    one: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXPLAINED", 2)
    off = "We utilise synergies to leverage the value chain of segment {} going forward."
    report = one.check(HERE, Pasted("\n\n".join(off.format(n) for n in range(6))), "oatfolk")
    explained = [s.explanation is not None for s in report.sentences]
    assert len(report.flagged) > 2
    assert sum(explained) == 2
