"""A voice made of registers alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from onbrand import Encoder, Scorer
from onbrand.errors import OnbrandError
from onbrand.training.background import read_pieces
from onbrand.voice.avoid import (
    SENTENCE_ROOM,
    THRESHOLD,
    avoid_name,
    avoid_voice,
    room_of,
    split_names,
)
from onbrand.voice.registers import Registers, load_registers

PIECES = Path(__file__).parents[2] / "models/voice_bank/pieces"
AVOIDED = ("hype", "corporate", "legalese", "chatbot")
TOOK = 12
"""Pieces of the bank that are looked at."""


@dataclass(frozen=True)
class Bank:
    lines: dict[str, list[tuple[str, ...]]]
    """The lines of each piece, by voice."""

    def all(self, voice: str) -> list[str]:
        return [line for lines in self.lines[voice] for line in lines]


@pytest.fixture(scope="module")
def bank() -> Bank:
    pieces = read_pieces(PIECES)[::4][:TOOK]
    return Bank({voice: [one.lines[voice] for one in pieces] for voice in ("neutral", *AVOIDED)})


@pytest.fixture(scope="module")
def scorer(encoder: Encoder) -> Scorer:
    return Scorer(encoder, [avoid_voice(encoder, AVOIDED)])


@pytest.fixture(scope="module")
def registers(encoder: Encoder) -> Registers:
    found = load_registers(encoder.fingerprint)
    assert found is not None
    return found


def flagged(scorer: Scorer, lines: list[str]) -> float:
    return float((scorer.score(lines)[:, 0] < THRESHOLD).mean())


def test_good_lines_pass_and_wrong_ones_do_not(scorer: Scorer, bank: Bank) -> None:
    assert flagged(scorer, bank.all("neutral")) <= 0.03
    for voice in AVOIDED:
        least = 0.4 if voice == "chatbot" else 0.7
        assert flagged(scorer, bank.all(voice)) >= least, voice


def test_drafts_in_a_voice_to_avoid_are_for_review(scorer: Scorer, bank: Bank) -> None:
    def forwarded(voice: str) -> float:
        reports = [scorer.check("\n\n".join(lines)) for lines in bank.lines[voice]]
        return float(np.mean([report.verdict == "forward" for report in reports]))

    assert forwarded("neutral") == 1.0
    assert all(forwarded(voice) <= 0.1 for voice in AVOIDED)


def test_the_share_of_bad_sentences_decides(scorer: Scorer, bank: Bank) -> None:
    good, bad = bank.lines["neutral"][0], bank.lines["corporate"][0]
    one, half = ["\n\n".join([*bad[:n], *good[n:]]) for n in (2, len(good) // 2 + 1)]
    assert scorer.check(one).verdict == "forward"
    assert scorer.check(half).verdict == "review"


def test_only_what_is_named_is_avoided(encoder: Encoder, bank: Bank) -> None:
    scorer = Scorer(encoder, [avoid_voice(encoder, ["chatbot"])])
    assert flagged(scorer, bank.all("legalese")) < flagged(scorer, bank.all("chatbot"))


def test_more_names_give_more_room(registers: Registers) -> None:
    rooms = [room_of(registers, registers.names[:count]) for count in range(1, 17)]
    assert rooms == sorted(rooms)
    assert rooms[0] == pytest.approx(registers.alone[0] + SENTENCE_ROOM)
    assert rooms[-1] == pytest.approx(registers.reference.room + SENTENCE_ROOM)


def test_the_reason_is_a_register(scorer: Scorer) -> None:
    text = "We leverage synergies across key stakeholders to drive best-in-class outcomes."
    report = scorer.check(text)
    why = report.sentences[0].explanation
    assert why is not None
    assert why.register == "corporate"
    assert why.logit == pytest.approx(why.base + sum(word.share for word in why.words), abs=1e-4)
    assert why.worst_words()
    assert (why.habits, why.nearest_on, why.nearest_off) == ((), None, None)


@pytest.mark.parametrize(
    "text",
    [
        "Wir freuen uns, Ihnen mitteilen zu können, dass unser Geschäft ab Montag geöffnet ist.",
        "Nous sommes heureux de vous annoncer que notre boutique rouvrira ses portes lundi.",
        "const x = require('fs'); for (let i = 0; i < n; i++) { console.log(x[i]); }",
    ],
)
def test_what_is_not_english_is_not_judged(scorer: Scorer, text: str) -> None:
    assert {one.probability for one in scorer.check(text, path="a.txt").sentences} == {None}


def test_names_are_in_one_order(encoder: Encoder) -> None:
    assert avoid_name(["chatbot", "hype"]) == avoid_name(["hype", "chatbot"])
    assert avoid_voice(encoder, ["chatbot", "hype"]).brand == "avoid: hype, chatbot"
    assert split_names(" Hype,, corporate ") == ("hype", "corporate")


def test_unknown_names_are_refused(encoder: Encoder) -> None:
    with pytest.raises(OnbrandError, match=r"no register is named 'hpye' \(known: hype, corporate"):
        avoid_voice(encoder, ["hype", "hpye"])
    with pytest.raises(OnbrandError, match="name a register to avoid"):
        avoid_voice(encoder, [])
    with pytest.raises(OnbrandError, match="--avoid needs names"):
        split_names(" , ")


class _Other:
    name, fingerprint, dim = "other", "0" * 64, 8


def test_an_encoder_without_registers_is_refused() -> None:
    with pytest.raises(OnbrandError, match="encoder other .* has no registers to avoid"):
        avoid_voice(_Other(), ["hype"])
