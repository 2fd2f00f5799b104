"""A voice from published copy alone: what it takes, what it refuses, what it stops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onbrand import Encoder, Scorer
from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine, read_labels
from onbrand.training.background import Background, load_background, read_pieces
from onbrand.training.own_copy import read_published, train_from_copy
from onbrand.voice.model import Voice
from onbrand.voice.storage import load_voice, save_voice
from onbrand_cli.demo import brand_files

PIECES = Path(__file__).parents[2] / "models/voice_bank/pieces"


@pytest.fixture(scope="module")
def lines() -> list[LabelLine]:
    """What the example brands say of themselves."""
    return [line for line in read_labels(brand_files()) if line.label == "on"]


@pytest.fixture(scope="module")
def voice(lines: list[LabelLine], encoder: Encoder) -> Voice:
    own = [line for line in lines if line.brand == "oatfolk"]
    return train_from_copy("oatfolk", own, encoder)


def test_no_label_is_needed(voice: Voice) -> None:
    counts = voice.manifest.labels
    assert (counts.on, counts.off) == (0, 0)
    assert counts.published > 40
    assert voice.manifest.report.baseline is None
    assert voice.manifest.report.held_out.auroc > 0.85


def test_the_same_copy_gives_the_same_voice(
    voice: Voice, lines: list[LabelLine], encoder: Encoder
) -> None:
    own = [line for line in lines if line.brand == "oatfolk"]
    again = train_from_copy("oatfolk", own, encoder)
    np.testing.assert_array_equal(again.head.weights, voice.head.weights)
    assert again.manifest.registers == voice.manifest.registers


def test_wrong_voices_are_flagged_and_own_lines_are_not(
    voice: Voice, lines: list[LabelLine], encoder: Encoder
) -> None:
    scorer = Scorer(encoder, [voice])

    def flagged(texts: list[str]) -> float:
        return float((scorer.score(texts)[:, 0] < voice.manifest.threshold).mean())

    own = [line.text for line in lines if line.brand == "oatfolk"]
    assert flagged(own) <= 0.05
    for wrong in ("legalese", "corporate", "bureaucratic"):
        texts = [text for piece in read_pieces(PIECES)[:8] for text in piece.lines[wrong][1:]]
        assert flagged(texts) > 0.5, wrong


def test_it_is_saved_and_read_as_any_voice(voice: Voice, tmp_path: Path) -> None:
    saved = save_voice(voice, tmp_path / "oatfolk")
    assert load_voice(tmp_path / "oatfolk").manifest == saved.manifest


def test_other_brands_copy_is_what_it_is_not(lines: list[LabelLine], encoder: Encoder) -> None:
    voice = train_from_copy("oatfolk", lines, encoder)
    others = [line.text for line in lines if line.brand == "varnholt-pumps"]
    own = [line.text for line in lines if line.brand == "oatfolk"]
    scores = Scorer(encoder, [voice]).score
    assert (scores(own)[:, 0] > 0.5).mean() > 0.9
    assert (scores(others)[:, 0] > 0.5).mean() < 0.2


def test_it_is_told_how_many_lines_were_left_out(
    lines: list[LabelLine], encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [line for line in lines if line.brand == "oatfolk"]
    misfits = np.arange(len(own)) % 10 == 0
    monkeypatch.setattr("onbrand.training.own_copy.find_misfits", lambda *_lines: misfits)
    voice = train_from_copy("oatfolk", own, encoder)
    (told, *_) = voice.manifest.report.warnings
    assert told.startswith(f"{misfits.sum()} of {len(own)} published lines read like other")
    assert voice.manifest.labels.published == len(own) - misfits.sum()
    assert own[0].text not in voice.examples.texts


def test_too_little_copy_is_refused_in_one_line(lines: list[LabelLine], encoder: Encoder) -> None:
    few = [line for line in lines if line.brand == "oatfolk"][:12]
    with pytest.raises(OnbrandError, match="12 different lines of published copy; 40 are the"):
        train_from_copy("oatfolk", few * 5, encoder)


def test_pages_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog/a.md").write_text("# Title\n\nWe bake the oats twice before we pack them.\n")
    (tmp_path / "b.html").write_text("<p>Every bag says who grew the oats that are in it.</p>")
    (tmp_path / "notes.xyz").write_text("not a page")
    left_out: set[Path] = set()
    found = read_published([tmp_path], "acme", left_out=left_out)
    assert left_out == {tmp_path / "notes.xyz"}
    assert sorted(line.text for line in found) == [
        "Every bag says who grew the oats that are in it.",
        "We bake the oats twice before we pack them.",
    ]
    assert {line.brand for line in found} == {"acme"}
    assert {Path(line.path).name for line in found} == {"a.md", "b.html"}


def test_tables_and_pages_of_a_folder_are_read_once_each(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("We bake the oats twice before we pack them.\n")
    (tmp_path / "posts.csv").write_text("text,label\nOats from our own field.,\nOats!,off\n")
    (tmp_path / "old.jsonl").write_text('{"text": "We have baked oats since 1912."}\n')
    found = read_published([tmp_path, tmp_path / "a.md", tmp_path / "posts.csv"], "acme")
    assert sorted(line.text for line in found) == [
        "Oats from our own field.",
        "We bake the oats twice before we pack them.",
        "We have baked oats since 1912.",
    ]


def test_a_table_of_something_else_among_pages_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("We bake the oats twice before we pack them.\n")
    prices = tmp_path / "prices.csv"
    prices.write_text("item,price\noats,2\n")
    with pytest.raises(OnbrandError, match="lacks the column") as told:
        read_published([tmp_path], "acme")
    assert f"move it out of {tmp_path}" in told.value.message
    assert (told.value.path, told.value.line) == (prices, 1)
    with pytest.raises(OnbrandError) as told:
        read_published([prices], "acme")
    assert "move it" not in told.value.message


def test_whose_pages_they_are_must_be_said(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("We bake the oats twice before we pack them.\n")
    with pytest.raises(OnbrandError, match="whose page is it"):
        read_published([tmp_path])


def test_a_folder_without_copy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match="holds no published copy"):
        read_published([tmp_path], "acme")


def test_the_background_keeps_what_it_is_given(encoder: Encoder) -> None:
    background = load_background(encoder)
    assert background is not None
    vectors = encoder.encode(["We bake the oats twice.", "Pursuant to clause 4, fees are due."])
    kept = background.restore(background.project(vectors))
    cosines = (kept * vectors).sum(axis=1)
    cosines /= np.linalg.norm(kept, axis=1) * np.linalg.norm(vectors, axis=1)
    assert (cosines > 0.9).all()
    weights = np.arange(background.basis.shape[1], dtype=np.float64)
    lifted, bias = background.lift(weights, 1.0)
    np.testing.assert_allclose(
        vectors @ lifted + bias, background.project(vectors) @ weights + 1.0, rtol=1e-3
    )


def test_bytes_are_enough_for_the_background() -> None:
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(64, 16)))[0].astype(np.float32)
    rows = random.normal(size=(30, 64)).astype(np.float32)
    small = Background.compress("f", rows.mean(axis=0), basis, rows)
    np.testing.assert_allclose(small.lines(), small.project(rows), atol=0.03)
