"""The bank of voices that onbrand brings: its form, its breadth, and that no phrase is worn out."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from onbrand.errors import OnbrandError
from onbrand.training.background import GOOD_VOICES, WRONG_VOICES, Piece, read_piece, read_pieces

FOLDER = Path(__file__).parents[2] / "models/voice_bank/pieces"
MOST_LINES = 3
"""Lines of a voice in which the same five words may stand."""


@pytest.fixture(scope="module")
def pieces() -> list[Piece]:
    return read_pieces(FOLDER)


def test_the_bank_is_broad(pieces: list[Piece]) -> None:
    assert len(pieces) >= 60
    assert len({piece.subject for piece in pieces}) == len(pieces)
    assert len({piece.kind for piece in pieces}) >= 30
    wrong = sum(len(piece.lines[voice]) for piece in pieces for voice in WRONG_VOICES)
    assert wrong >= 6000
    assert sum(set(GOOD_VOICES) <= set(piece.lines) for piece in pieces) >= 20


def test_every_piece_is_in_every_wrong_voice_line_by_line(pieces: list[Piece]) -> None:
    for piece in pieces:
        assert set(WRONG_VOICES) <= set(piece.lines) <= {*WRONG_VOICES, *GOOD_VOICES}, piece.name
        assert 8 <= len(piece.lines["neutral"]) <= 14, piece.name


def test_lines_are_plain_sentences(pieces: list[Piece]) -> None:
    for piece in pieces:
        for voice, lines in piece.lines.items():
            assert len(set(lines)) == len(lines), (piece.name, voice)
            for line in lines:
                assert not re.search("[‘’“”–—\ufffc{}<]|https?:", line), (piece.name, voice, line)


def test_no_five_words_are_worn_out(pieces: list[Piece]) -> None:
    """Written line by line, not filled into templates."""
    places: dict[tuple[str, ...], set[tuple[str, int]]] = defaultdict(set)
    for piece in pieces:
        for voice, lines in piece.lines.items():
            for number, line in enumerate(lines):
                words = re.findall(r"[a-z0-9$']+", line.lower())
                for start in range(len(words) - 4):
                    places[voice, *words[start : start + 5]].add((piece.name, number))
    worn = {words: where for words, where in places.items() if len(where) > MOST_LINES}
    assert not worn


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## neutral\n1. A line.\n", "front matter"),
        ("---\nkind: a\nsubject: b\n---\n1. A line.\n", "expected a heading"),
        ("---\nkind: a\nsubject: b\n---\n## neutral\n2. A line.\n", "next numbered line"),
        ("---\nkind: a\nsubject: b\n---\n## hype\n1. A line.\n", "'## neutral'"),
        ("---\nkind: a\nsubject: b\n---\n## neutral\n1. A.\n## hype\n1. A\n2. B\n", "as many"),
    ],
)
def test_a_piece_of_another_form_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "piece.md"
    path.write_text(text)
    with pytest.raises(OnbrandError, match=message):
        read_piece(path)
