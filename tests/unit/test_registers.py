"""Registers: ranges that keep their promise, shares that add up, a brand that is not blamed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onbrand import Encoder, Scorer
from onbrand.training.background import read_pieces
from onbrand.voice.registers import (
    READS_LIKE,
    SCALES,
    RegisterAnswer,
    Registers,
    load_registers,
    room_for,
    save_registers,
)
from onbrand.voice.storage import load_voices

PIECES = Path(__file__).parents[2] / "models/voice_bank/pieces"
HYPE = "Get ready to be blown away: our legendary oats just went to a whole new level!"


@pytest.fixture(scope="module")
def registers(encoder: Encoder) -> Registers:
    found = load_registers(encoder.fingerprint)
    assert found is not None
    return found


def lines_in(voice: str) -> list[str]:
    return [line for piece in read_pieces(PIECES)[:12] for line in piece.lines[voice][1:]]


def words_in(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def test_every_register_has_words_for_writers(registers: Registers) -> None:
    assert set(registers.names) == set(READS_LIKE)
    assert registers.weights.shape[1] == len(registers.names) + 1 + len(SCALES)


@given(
    st.lists(st.floats(-5, 5), min_size=5, max_size=80),
    st.floats(0.01, 0.4),
)
def test_no_more_than_the_share_lies_beyond_the_room(excess: list[float], share: float) -> None:
    beyond = np.array(excess) > room_for(np.array(excess), share)
    assert beyond.mean() <= share


@pytest.mark.parametrize("voice", ["hype", "legalese", "bureaucratic", "slang"])
def test_a_wrong_voice_lies_outside_of_good_copy(
    registers: Registers, encoder: Encoder, voice: str
) -> None:
    def outside(texts: list[str]) -> float:
        excess = registers.excess(encoder.encode(texts), words_in(texts), registers.reference)
        return float((excess.max(axis=1) > 0).mean())

    assert outside(lines_in(voice)) > 0.6
    assert outside(lines_in("neutral")) < 0.08


def test_who_writes_legalese_is_not_blamed_for_it(registers: Registers, encoder: Encoder) -> None:
    own = lines_in("legalese")
    vectors, words = encoder.encode(own), words_in(own)
    usual = registers.measure(vectors)
    excess = registers.excess(vectors, words, usual).max(axis=1)
    usual = msgspec.structs.replace(usual, room=room_for(excess, 0.05))
    assert (registers.excess(vectors, words, usual).max(axis=1) > 0).mean() <= 0.05
    other = lines_in("slang")
    strange = registers.excess(encoder.encode(other), words_in(other), usual).max(axis=1)
    assert (strange > 0).mean() > 0.5


def test_a_range_goes_from_one_to_the_other(registers: Registers) -> None:
    here = registers.reference
    there = msgspec.structs.replace(here, room=here.room + 2)
    assert here.blend(there, 0.0).room == here.room
    assert here.blend(there, 0.25).room == pytest.approx(here.room + 0.5)


def test_the_surer_the_head_the_more_it_takes(registers: Registers, encoder: Encoder) -> None:
    vectors = encoder.encode([HYPE, HYPE])
    answer = RegisterAnswer(registers.reference, edge=-2.0, slope=3.0, head_share=0.25)
    raw, allowance = registers.raw(vectors), registers.allowance([14, 14])
    unsure, sure = registers.read(raw, allowance, answer, np.array([0.0, 4.0])).odds
    assert sure == pytest.approx(unsure + 3.0 * 0.25 * 4.0)


@pytest.mark.parametrize("head_share", [0.0, 0.25])
@pytest.mark.parametrize("edge", [-2.0, 30.0])
def test_words_share_exactly_what_a_register_says(
    encoder: Encoder, example_voices: Path, head_share: float, edge: float
) -> None:
    """Below the edge and, where a spread is worth less, above it."""
    (voice,) = load_voices([example_voices], ["oatfolk"])
    answer = voice.manifest.registers
    assert answer is not None
    answer = msgspec.structs.replace(answer, head_share=head_share, edge=edge)
    manifest = msgspec.structs.replace(voice.manifest, registers=answer)
    # A head that is sure, so that the register decides.
    head = replace(voice.head, bias=voice.head.bias + 60)
    scorer = Scorer(encoder, [replace(voice, manifest=manifest, head=head)])
    why = scorer.explain(HYPE, "oatfolk")
    assert why.register in READS_LIKE
    assert why.base + sum(word.share for word in why.words) == pytest.approx(why.logit)
    (logit,) = scorer.bank.logits(encoder.encode([HYPE]), [HYPE])[:, 0]
    assert why.logit == pytest.approx(float(logit), abs=0.05)


def test_registers_come_back_as_they_were_saved(registers: Registers, tmp_path: Path) -> None:
    path = save_registers(registers, tmp_path)
    assert path.stat().st_size < 200_000
    assert path.read_bytes() == (Path(save_registers(registers, tmp_path))).read_bytes()


def test_an_encoder_without_registers_has_none() -> None:
    assert load_registers("0" * 64) is None
