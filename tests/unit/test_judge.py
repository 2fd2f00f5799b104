"""How the rest of a draft moves the P below which a sentence is flagged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lsp_samples import voice

from onbrand.document.document import parse
from onbrand.results import SentenceVerdict
from onbrand.scorer import MAX_CONTEXT, MAX_THRESHOLD, _SentenceScorer
from onbrand.voice.model import Answers, RegisterDraft, log_odds

THRESHOLD = 0.1
TEXT = "We ask you to read all of this sentence, number {}."

odds = st.floats(-8, 8)


def verdicts(registers: Sequence[float], *, center: float | None = 0.0) -> list[SentenceVerdict]:
    """Judge a draft of sentences of which the registers say this, and the head nothing."""
    model = voice("acme")
    draft = model.manifest.draft
    if center is not None:
        draft = msgspec.structs.replace(draft, registers=RegisterDraft(3.0, center))
    manifest = msgspec.structs.replace(model.manifest, draft=draft, threshold=THRESHOLD)
    alone = np.array(registers, np.float32)[:, None]
    stack = SimpleNamespace(
        brands=("acme",),
        voices=(replace(model, manifest=manifest),),
        answers=lambda _vectors, texts: Answers(*([alone[: len(texts)]] * 3)),
        familiarity=lambda vectors: np.ones((len(vectors), 1), np.float32),
        registers=None,
    )
    encoder = SimpleNamespace(
        encode=lambda texts, **_more: np.zeros((len(texts), 4), np.float32),
        truncated=lambda texts: [False] * len(texts),
    )
    document = parse("\n\n".join(TEXT.format(i) for i in range(len(registers))))
    judge = _SentenceScorer(cast("Any", encoder), cast("Any", stack), remember=100)
    return judge.verdicts(document, ["acme"] * len(registers), None, ())


def moved(registers: Sequence[float], **more: Any) -> list[float]:
    return [log_odds(one.threshold) for one in verdicts(registers, **more)]


def test_a_doubtful_sentence_is_flagged_among_others_in_a_wrong_voice() -> None:
    assert not verdicts([-1.0] + [2.0] * 10)[0].flagged
    assert not verdicts([-1.0])[0].flagged
    assert verdicts([-1.0] + [-4.0] * 10)[0].flagged


@given(st.lists(odds, min_size=2, max_size=30), st.data())
def test_no_sentence_suffers_from_a_better_one_beside_it(
    registers: list[float], data: st.DataObject
) -> None:
    better = list(registers)
    place = data.draw(st.integers(0, len(registers) - 1))
    better[place] += data.draw(st.floats(0, 8))
    for i, (before, after) in enumerate(zip(moved(registers), moved(better), strict=True)):
        assert after <= before + 1e-6
        if i == place:
            assert math.isclose(after, before, abs_tol=1e-6)  # nobody is his own witness


@given(st.lists(odds, min_size=1, max_size=30))
def test_the_rest_of_a_draft_moves_a_threshold_so_far_and_no_further(
    registers: list[float],
) -> None:
    for one in verdicts(registers):
        assert one.threshold <= MAX_THRESHOLD
        assert abs(log_odds(one.threshold) - log_odds(THRESHOLD)) <= MAX_CONTEXT + 1e-6


@given(st.lists(odds, min_size=1, max_size=10))
def test_a_voice_without_registers_has_one_threshold(registers: list[float]) -> None:
    assert {one.threshold for one in verdicts(registers, center=None)} == {THRESHOLD}
