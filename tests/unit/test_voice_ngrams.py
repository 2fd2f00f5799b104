"""N-gram features: counted the same way for training, scoring and explaining."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from onbrand.training.logistic import TermMatrix
from onbrand.voice.lexical import term_spans, terms_of, word_spans, words_of

LINES = ["We don't do jargon.", "Pump speed: 1,450 rpm!", "We do do jargon, don't we?", "Ölwechsel"]


@pytest.mark.parametrize("text", [*LINES, "", " ", "a", "🎉🎉 wow", "naïve café – “quoted”"])
def test_counting_and_placing_find_the_same_terms(text: str) -> None:
    placed = list(term_spans(text))
    assert Counter(term for term, _ in placed) == Counter(terms_of(text))
    for term, span in placed:
        covered = span.slice(text)
        if term.startswith("c:"):
            assert covered == term[2:]
        else:
            assert covered.lower().split() == term[2:].split() or " " in term[2:]


def test_words_keep_their_apostrophes_and_marks_stand_alone() -> None:
    text = "We don't, you’d say: 1,450!"
    words = [span.slice(text) for span in word_spans(text)]
    assert words == ["We", "don't", ",", "you’d", "say", ":", "1", ",", "450", "!"]
    assert words_of(text) == ["we", "don't", "you’d", "say", "1", "450"]


def test_tfidf_agrees_with_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = np.arange(len(LINES))
    matrix = TermMatrix.count(LINES)
    vocabulary, columns = matrix.fit(rows)
    ours = matrix.tfidf(rows, vocabulary, columns).toarray()
    theirs = TfidfVectorizer(
        analyzer="char", ngram_range=(2, 4), lowercase=False, sublinear_tf=True, min_df=2
    )
    expected = theirs.fit_transform(LINES).toarray()
    names = ["c:" + name for name in theirs.get_feature_names_out()]
    assert [term for term in vocabulary.terms if term[0] == "c"] == names
    where = [vocabulary.terms.index(name) for name in names]
    np.testing.assert_allclose(ours[:, where], expected, atol=1e-6)


def test_each_block_is_a_unit_vector_or_nothing() -> None:
    rows = np.arange(len(LINES))
    matrix = TermMatrix.count(LINES)
    vocabulary, columns = matrix.fit(rows)
    dense = matrix.tfidf(rows, vocabulary, columns).toarray()
    for block in "wc":
        inside = [i for i, term in enumerate(vocabulary.terms) if term[0] == block]
        norms = np.linalg.norm(dense[:, inside], axis=1)
        assert np.all((norms < 1e-9) | (abs(norms - 1) < 1e-6))
