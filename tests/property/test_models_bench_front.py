"""The Pareto front and the choice, of any figures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from models_bench_samples import figures

from onbrand_models.bench.report import (
    Metrics,
    fastest_of_the_best,
    most_accurate,
    pareto_front,
    recommend,
)

# Few values, so that some candidates are level.
CANDIDATES = st.lists(
    st.builds(
        figures,
        st.integers(0, 10**6).map(lambda i: f"c{i}"),
        st.integers(50, 60).map(lambda n: n / 60),
        st.integers(1, 10).map(float),
        error=st.sampled_from([0.0, 0.02, 0.1]),
    ),
    min_size=1,
    max_size=12,
)


def beats(a: Metrics, b: Metrics) -> bool:
    """Whether ``a`` is better in one of the two, and not worse in the other."""
    at_a = (a.accuracy.mean, a.pace.sentences_per_second)
    at_b = (b.accuracy.mean, b.pace.sentences_per_second)
    return at_a != at_b and all(x >= y for x, y in zip(at_a, at_b, strict=True))


@given(CANDIDATES)
def test_the_front_is_what_no_other_beats(candidates: list[Metrics]) -> None:
    front = pareto_front(candidates)
    assert not any(beats(other, one) for one in front for other in candidates)
    for one in candidates:
        level = [(c.accuracy.mean, c.pace.sentences_per_second) for c in front]
        at = one.accuracy.mean, one.pace.sentences_per_second
        assert at in level or any(beats(other, one) for other in front)
    speeds = [one.pace.sentences_per_second for one in front]
    assert speeds == sorted(speeds, reverse=True)


@given(CANDIDATES)
def test_the_choice_is_good_enough_and_nothing_faster_is(candidates: list[Metrics]) -> None:
    best, choice = most_accurate(candidates), fastest_of_the_best(candidates)
    assert best.accuracy.mean == max(one.accuracy.mean for one in candidates)
    least = best.accuracy.mean - best.accuracy.error
    assert choice.accuracy.mean >= least
    faster = [
        one
        for one in candidates
        if one.pace.sentences_per_second > choice.pace.sentences_per_second
    ]
    assert all(one.accuracy.mean < least for one in faster)
    advice = recommend(candidates)
    assert advice.startswith(f"take {choice.name}:")
    assert "\n" not in advice
