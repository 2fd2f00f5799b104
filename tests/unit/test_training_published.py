"""Published copy as free supervision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onbrand import Encoder, OnbrandError, Scorer
from onbrand.labels.files import LabelLine, read_labels
from onbrand.training.train import train_voice
from onbrand.training.weak_labels import OwnCopy, fit_published
from onbrand_cli.demo import brand_files

BRANDS = ("oatfolk", "quillpot", "tallowgate-museum")


@pytest.fixture(scope="module")
def on_lines() -> list[LabelLine]:
    lines = read_labels(brand_files())
    return [line for line in lines if line.label == "on" and line.brand in BRANDS]


def test_the_model_tells_whose_line_it_is(on_lines: list[LabelLine], encoder: Encoder) -> None:
    model = fit_published([replace(line, label=None) for line in on_lines], encoder)
    assert model.brands == BRANDS
    texts = [line.text for line in on_lines]
    vectors = encoder.encode(texts)
    docs = [line.doc for line in on_lines]
    held_out = np.stack([model.held_out(brand, vectors, docs, texts) for brand in BRANDS], axis=1)
    owners = np.array([BRANDS.index(line.brand) for line in on_lines])
    assert (held_out.argmax(axis=1) == owners).mean() > 0.8
    assert held_out.sum(axis=1) == pytest.approx(np.zeros(len(owners)), abs=1e-3)


def test_lines_need_no_document(on_lines: list[LabelLine], encoder: Encoder) -> None:
    model = fit_published([replace(line, doc=None) for line in on_lines], encoder)
    texts = [line.text for line in on_lines if line.brand == BRANDS[0]]
    held_out = model.held_out(BRANDS[0], encoder.encode(texts), [None] * len(texts), texts)
    assert (held_out > 0).mean() > 0.8


def test_two_brands_are_mirror_images(on_lines: list[LabelLine], encoder: Encoder) -> None:
    two = [line for line in on_lines if line.brand != BRANDS[2]]
    model = fit_published(two, encoder)
    vectors = encoder.encode([line.text for line in two])
    first, second = (model.whole.logits(vectors, column) for column in (0, 1))
    assert first == pytest.approx(-second, abs=1e-6)
    assert ((first > 0) == [line.brand == BRANDS[0] for line in two]).mean() > 0.95


def test_a_voice_uses_it_and_still_folds_into_one_head(
    on_lines: list[LabelLine], encoder: Encoder
) -> None:
    few = [line for line in read_labels(brand_files()) if line.brand == "oatfolk"]
    # The other brands' copy is the off side here, which is what the published model has seen.
    few = [line for line in few if line.label == "on"][:20]
    few += [replace(line, label="off") for line in on_lines if line.brand == "quillpot"][:20]
    model = fit_published(on_lines, encoder)
    voice = train_voice("oatfolk", few, encoder, published=model)
    assert voice.manifest.labels.published == 80
    assert voice.manifest.report.weights["published"] > 0
    p = Scorer(encoder, [voice]).score([line.text for line in few])[:, 0]
    assert ((p > 0.5) == [line.label == "on" for line in few]).mean() > 0.9


def test_a_brand_without_published_copy_is_trained_from_labels_alone(
    on_lines: list[LabelLine], encoder: Encoder
) -> None:
    model = fit_published(on_lines, encoder)
    pumps = [line for line in read_labels(brand_files()) if line.brand == "varnholt-pumps"]
    voice = train_voice("varnholt-pumps", pumps, encoder, published=model)
    assert voice.manifest.labels.published == 0
    assert "published" not in voice.manifest.report.weights


def test_one_brand_alone_teaches_nothing(on_lines: list[LabelLine], encoder: Encoder) -> None:
    alone = [line for line in on_lines if line.brand == "oatfolk"]
    with pytest.raises(OnbrandError, match="at least two brands.*oatfolk: 80"):
        fit_published(alone, encoder)


def test_the_range_is_measured_on_published_lines_too(
    on_lines: list[LabelLine], encoder: Encoder
) -> None:
    labels = [line for line in read_labels(brand_files()) if line.brand == "oatfolk"]
    few = [line for kind in ("on", "off") for line in labels if line.label == kind][::7]
    model = fit_published(on_lines, encoder)
    with_copy = train_voice("oatfolk", few, encoder, published=model)
    without = train_voice("oatfolk", few, encoder, published=replace(model, copy={}))
    ranges = [voice.manifest.registers for voice in (with_copy, without)]
    # A dozen lines are drawn to good copy in general, 80 have a range of their own.
    assert ranges[0] is not None and ranges[1] is not None
    assert ranges[0].usual != ranges[1].usual
    texts = {" ".join(line.text.split()) for line in on_lines if line.brand == "oatfolk"}
    assert set(model.copy["oatfolk"].texts) <= texts


def test_copy_of_labelled_documents_is_left_out() -> None:
    copy = OwnCopy(["a", "b", "c", "d"], ["home", None, "home", "help"], np.eye(4, 2, dtype="f4"))
    kept = copy.without(["d"], ["home", None])
    assert (kept.texts, kept.docs) == (["b"], [None])
    assert kept.vectors.tolist() == [[0, 1]]
