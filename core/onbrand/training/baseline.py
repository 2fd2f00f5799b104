"""The yardstick: a bag of words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def bag_of_words(
    train: Sequence[str], on: NDArray[np.bool_], test: Sequence[str]
) -> NDArray[np.float64]:
    """Return P(on-brand) of the test lines, shape (lines,), from TF-IDF unigrams alone.

    Sublinear TF-IDF and logistic regression with C=10, as a good engineer would try first.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectoriser = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")  # noqa: S106
    model = LogisticRegression(C=10.0, max_iter=1000).fit(vectoriser.fit_transform(train), on)
    return np.asarray(model.predict_proba(vectoriser.transform(test))[:, 1], dtype=np.float64)
