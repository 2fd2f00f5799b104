"""Published copy, cleaned and split for adapting."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine
from onbrand_models.finetune.corpus import MIN_LINES, count_by_brand, split_corpus


def line(text: str, brand: str, doc: str | None = None) -> LabelLine:
    return LabelLine(text, None, brand, doc, None, None, None, "copy.jsonl", 1)


def brand(name: str, docs: int = 20, each: int = 5) -> list[LabelLine]:
    return [line(f"{name} {d} {i}", name, f"{name}/{d}") for d in range(docs) for i in range(each)]


def test_documents_are_held_out_whole() -> None:
    corpus = split_corpus([*brand("acme"), *brand("beta")])
    assert corpus.brands == ("acme", "beta")
    for owner, name in enumerate(corpus.brands):
        learn, held = (
            {
                text.split()[1]
                for text, of in zip(part.texts, part.owners, strict=True)
                if of == owner
            }
            for part in (corpus.train, corpus.held_out)
        )
        assert not learn & held, name
        assert len(held) == 2
        assert learn | held == {str(d) for d in range(20)}
    assert count_by_brand(corpus) == {"acme": 90, "beta": 90}


def test_the_order_of_the_lines_does_not_change_what_is_held_out() -> None:
    lines = [*brand("acme"), *brand("beta")]
    one, other = split_corpus(lines), split_corpus(lines[::-1])
    assert set(one.held_out.texts) == set(other.held_out.texts)


def test_lines_without_a_document_are_split_one_by_one() -> None:
    lines = [line(f"{name} {i}", name) for name in ("acme", "beta") for i in range(100)]
    assert len(split_corpus(lines).held_out.texts) == 20


def test_a_document_too_long_to_be_missed_is_learnt_from() -> None:
    long = [line(f"acme {i}", "acme", "the only one") for i in range(100)]
    corpus = split_corpus([*long, *brand("beta"), *brand("gamma")])
    assert count_by_brand(corpus)["acme"] == 100
    assert corpus.split_by_line == frozenset()
    assert corpus.evaluable_brands == (1, 2)


@pytest.mark.parametrize("docs", [("one", "one"), ("one", None)])
def test_lines_are_held_out_where_too_few_brands_have_documents_for_it(
    docs: tuple[str | None, ...],
) -> None:
    lines = [
        line(f"{name} {i}", name, doc)
        for name, doc in zip(("acme", "beta"), docs, strict=True)
        for i in range(100)
    ]
    corpus = split_corpus(lines)
    assert count_by_brand(corpus) == {"acme": 90, "beta": 90}
    assert corpus.evaluable_brands == (0, 1)
    assert corpus.split_by_line == {owner for owner, doc in enumerate(docs) if doc is not None}
    assert not set(corpus.train.texts) & set(corpus.held_out.texts)


def test_a_small_brand_beside_a_large_one_is_judged_too() -> None:
    sizes = {"acme": 25_000, "beta": MIN_LINES}
    corpus = split_corpus(
        line(f"{b} {i}", b, "one") for b, size in sizes.items() for i in range(size)
    )
    assert corpus.evaluable_brands == (0, 1)


def test_lines_labelled_off_are_left_out_and_counted() -> None:
    off = [replace(li, label="off") for li in brand("acme", docs=21)]
    corpus = split_corpus(
        [*off[100:], *brand("acme"), *brand("beta"), replace(off[0], brand="beta")]
    )
    assert corpus.off_brand == 6
    assert len(corpus.train.texts + corpus.held_out.texts) == 200


def test_repeats_and_lines_of_two_brands_are_dropped() -> None:
    twins = [line("Subscribe  now.", "acme"), line("Subscribe now.", "beta")]
    corpus = split_corpus([*brand("acme"), *brand("acme"), *brand("beta"), *twins])
    texts = corpus.train.texts + corpus.held_out.texts
    assert len(texts) == len(set(texts)) == 200
    assert "Subscribe now." not in texts


def test_a_brand_with_few_lines_is_left_out_and_named() -> None:
    corpus = split_corpus([*brand("acme"), *brand("beta"), *brand("small", docs=3)])
    assert corpus.brands == ("acme", "beta")
    assert corpus.skipped == {"small": 15}


@pytest.mark.parametrize("lines", [[], brand("acme"), [*brand("acme"), *brand("beta", docs=2)]])
def test_one_brand_teaches_nothing(lines: list[LabelLine]) -> None:
    with pytest.raises(OnbrandError, match=f"two brands of {MIN_LINES} published lines or more"):
        split_corpus(lines)


def test_what_was_left_out_is_told_where_too_little_is_left() -> None:
    lines = [line("Hello.", "acme"), line("Bye.", "beta"), line("Both.", "acme")] * 100
    off = replace(line("Off.", "beta"), label="off")
    with pytest.raises(OnbrandError) as caught:
        split_corpus([*lines, line("Both.", "beta"), off])
    assert caught.value.message.endswith(
        "(found acme: 1, beta: 1; 299 of 301 lines left out, being repeats or published by several "
        "brands; 1 line labelled off left out)"
    )


def test_the_digest_names_the_content() -> None:
    one = split_corpus([*brand("acme"), *brand("beta")])
    assert one.digest == split_corpus([*brand("acme"), *brand("beta")]).digest
    assert one.digest != split_corpus([*brand("acme"), *brand("gamma")]).digest


@given(st.lists(st.integers(1, 40), min_size=2, max_size=12))
def test_no_line_is_lost_and_most_are_learnt_from(sizes: list[int]) -> None:
    lines = [
        line(f"{name} {d} {i}", name, f"{name}/{d}")
        for name in ("acme", "beta")
        for d, size in enumerate([*sizes, MIN_LINES])
        for i in range(size)
    ]
    corpus = split_corpus(lines)
    assert sorted(corpus.train.texts + corpus.held_out.texts) == sorted({li.text for li in lines})
    assert len(corpus.held_out.texts) <= 0.2 * len(lines)
