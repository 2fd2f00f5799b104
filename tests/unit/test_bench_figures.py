"""Figures of benchmarks: what they are of, and what their intervals are drawn from."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scripts import load_script
from sklearn.metrics import roc_auc_score


@pytest.fixture(scope="module")
def by_piece() -> ModuleType:
    return load_script("bench/by_piece.py")


@pytest.fixture(scope="module")
def style() -> ModuleType:
    return load_script("bench/style.py")


def test_auroc_is_that_of_all_pairs_with_ties_for_half(by_piece: ModuleType) -> None:
    random = np.random.default_rng(0)
    pieces = np.repeat([f"piece {i}" for i in range(9)], 20)
    high = random.random(180) < 0.4
    score = np.round(random.normal(size=180) + high, 1)
    figure = by_piece.Pieces(pieces).auroc(score, high, ~high)
    assert figure.value == pytest.approx(roc_auc_score(high, score))
    low, up = figure.interval
    assert low < figure.value < up


def test_lines_of_one_piece_are_drawn_together(by_piece: ModuleType) -> None:
    hit = np.arange(200) < 100
    everything = np.ones(200, np.bool_)
    lone = by_piece.Pieces(np.array([f"piece {i}" for i in range(200)])).share(hit, everything)
    same = by_piece.Pieces(np.repeat([f"piece {i}" for i in range(4)], 50)).share(hit, everything)
    assert lone.value == same.value == 0.5
    assert np.ptp(same.interval) > 3 * np.ptp(lone.interval)


def test_a_manner_of_one_column_answers_both_questions(style: ModuleType) -> None:
    # Anchors 0 and 1 in manner; the alternatives are 0.1 and 0.9, once in this order, once swapped.
    table = np.array([0, 1, 0.1, 0.9, 0, 1, 0.9, 0.1])[:, None]
    assert style.judge_quads(table, np.array([True, False])) == (1.0, 1.0)
    assert style.judge_quads(table, np.array([False, True])) == (0.0, 1.0)


def test_content_alone_does_not_answer_the_second_one(style: ModuleType) -> None:
    # Two directions of content and hardly any manner: anchors alike, alternatives alike.
    one, two = np.array([1, 0, 0.1]), np.array([0, 1, 0.1])
    shift = np.array([0, 0, 0.01])
    table = np.stack([one, one + shift, two, two + shift])
    assert style.judge_quads(table, np.array([True]))[1] == 0.0
