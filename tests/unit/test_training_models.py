"""The small models that training is made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onbrand.training.calibration import calibrate_drafts
from onbrand.training.crossval import (
    alarm_threshold,
    calibration_error,
    make_folds,
    measure,
    remove_contrast_pairs,
)
from onbrand.training.ensemble import fit_stacker
from onbrand.training.logistic import fit_logistic

Generator = np.random.Generator


@pytest.mark.parametrize("shape", [(40, 200), (200, 40)], ids=["gram", "direct"])
def test_logistic_regression_agrees_with_scikit_learn(
    rng: Generator, shape: tuple[int, int]
) -> None:
    from sklearn.linear_model import LogisticRegression

    features = rng.normal(size=shape)
    on = features[:, 0] + rng.normal(size=shape[0]) > 0
    ours = fit_logistic(features, on, [0.01, 0.1])
    for fit, strength in zip(ours, [0.01, 0.1], strict=True):
        theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=5000).fit(features, on)
        np.testing.assert_allclose(
            fit.logits(features), theirs.decision_function(features), atol=1e-2
        )


def test_logistic_regression_survives_repeated_and_constant_lines() -> None:
    features = np.ones((30, 100))
    features[:15, 0] = -1.0
    fit = fit_logistic(features, np.arange(30) >= 15, [1.0])[0]
    assert np.isfinite(fit.logits(features)).all()
    assert ((fit.logits(features) > 0) == (np.arange(30) >= 15)).all()


@settings(max_examples=40, deadline=None)
@given(
    documents=st.lists(st.integers(0, 12), min_size=24, max_size=80),
    labels=st.randoms(use_true_random=False),
)
def test_folds_hold_out_every_line_once(documents: list[int], labels: object) -> None:
    on = np.arange(len(documents)) % 2 == 0
    docs = [f"{'on' if o else 'off'}-{d}" for d, o in zip(documents, on, strict=True)]
    folds, grouped = make_folds(on, docs)
    held_out = np.sort(np.concatenate([held for _, held in folds]))
    assert held_out.tolist() == list(range(len(on)))
    for train, held in folds:
        assert not set(train) & set(held)
        assert on[train].any() and not on[train].all()
        if grouped:
            assert not {docs[i] for i in train} & {docs[i] for i in held}


def test_folds_without_documents_are_said_to_be_ungrouped() -> None:
    on = np.arange(20) % 2 == 0
    assert make_folds(on, [None] * 20)[1] is False


def test_twins_leave_the_training_side_of_each_other(rng: Generator) -> None:
    contents = rng.normal(size=(40, 16)).astype(np.float32)
    on = np.arange(40) < 20
    contents[20] = contents[0] + 0.01  # an off-brand rewriting of line 0
    contents[2] = contents[1] + 0.01  # two on-brand lines that are alike: no twins
    folds, _ = make_folds(on, [None] * 40)
    for train, held in remove_contrast_pairs(folds, on, contents):
        assert not (0 in held and 20 in train)
        assert not (20 in held and 0 in train)
        assert (1 in train) != (1 in held)


def test_stacker_ignores_a_model_that_only_misleads(rng: Generator) -> None:
    on = rng.random(400) < 0.5
    good = np.where(on, 1.0, -1.0) + rng.normal(size=400)
    stacker = fit_stacker(np.stack([good, -good], axis=1), on)
    assert stacker.weights[1] == 0
    assert stacker.weights[0] > 0.5


def test_stacked_logits_are_calibrated(rng: Generator) -> None:
    truth = rng.normal(size=4000)
    on = rng.random(4000) < 1 / (1 + np.exp(-truth))
    stacker = fit_stacker(5 * truth[:, None] + 3, on)  # overconfident and shifted
    p = 1 / (1 + np.exp(-stacker(5 * truth[:, None] + 3)))
    assert calibration_error(on, p) < 0.04
    assert stacker.weights[0] == pytest.approx(0.2, abs=0.03)


def test_alarm_threshold_keeps_its_budget(rng: Generator) -> None:
    on = np.arange(200) < 100
    p = rng.random(200)
    for budget in (0.0, 0.05, 0.2):
        threshold = alarm_threshold(on, p, budget)
        assert (p[on] < threshold).mean() <= budget
    assert (p[on] <= alarm_threshold(on, p, 0.05)).mean() > 0.05  # and it uses it up


def test_metrics_of_a_perfect_and_a_useless_model() -> None:
    on = np.arange(100) < 50
    perfect = measure(on, np.where(on, 0.99, 0.01))
    assert (perfect.accuracy, perfect.auroc, perfect.recall_at_5fpr) == (1.0, 1.0, 1.0)
    useless = measure(on, np.full(100, 0.9))
    assert useless.accuracy == 0.5
    assert useless.ece == pytest.approx(0.4)


def test_a_longer_draft_of_the_same_sentences_is_more_certain(rng: Generator) -> None:
    on = np.arange(200) < 100
    logits = np.where(on, 0.8, -0.8) + rng.normal(size=200)
    calibration = calibrate_drafts(logits, on, [f"d{i // 10}" for i in range(200)])
    certainty = [calibration.logit(np.full(n, 0.8)) for n in (1, 5, 20)]
    assert certainty == sorted(certainty)
    assert calibration.logit(np.full(5, 0.8)) > 0 > calibration.logit(np.full(5, -0.8))


def test_one_wild_sentence_does_not_decide_a_draft(rng: Generator) -> None:
    on = np.arange(200) < 100
    logits = np.where(on, 2.0, -2.0) + rng.normal(size=200)
    calibration = calibrate_drafts(logits, on, [None] * 200)
    assert calibration.logit(np.array([2.0] * 9 + [-1000.0])) > 0
