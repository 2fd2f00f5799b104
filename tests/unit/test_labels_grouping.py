"""From label lines to training sets."""

from __future__ import annotations

from typing import Literal

import pytest

from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine, group_by_brand


def line(
    text: str, label: Literal["on", "off"] | None, number: int, brand: str = "acme"
) -> LabelLine:
    return LabelLine(text, label, brand, None, None, None, None, "l.jsonl", number)


def lines(on: int, off: int, brand: str = "acme") -> list[LabelLine]:
    return [
        *(line(f"on {n}", "on", n, brand) for n in range(on)),
        *(line(f"off {n}", "off", n + on, brand) for n in range(off)),
    ]


def test_repeats_count_once_and_the_order_stays() -> None:
    first = lines(10, 10)
    again = [line(" on  3 ", "on", 30), line("off 4", "off", 31), line("none", None, 32)]
    assert group_by_brand([*first, *again]) == {"acme": first}


def test_contradictions_are_dropped_on_both_sides_and_told() -> None:
    told: list[str] = []
    grouped = group_by_brand(
        [*lines(12, 11), line("on  5", "off", 40), line("on 5", "on", 41)], warn=told.append
    )
    assert [each.text for each in grouped["acme"] if each.text.endswith(" 5")] == ["off 5"]
    assert told == ['l.jsonl:5: labelled "on" here and "off" in l.jsonl:40; both dropped']


def test_many_contradictions_are_told_in_a_few_lines() -> None:
    told: list[str] = []
    clashing = [line(f"on {n}", "off", 100 + n) for n in range(20)]
    group_by_brand([*lines(30, 10), *clashing], warn=told.append)
    assert len(told) == 6
    assert told[-1].startswith("15 more texts")


def test_another_brand_may_think_otherwise() -> None:
    other = [
        line(each.text, "off" if each.label == "on" else "on", 1, "b") for each in lines(10, 10)
    ]
    assert set(group_by_brand([*lines(10, 10), *other])) == {"acme", "b"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no labelled lines"),
        ([line("a", None, 1)], "no labelled lines"),
        (
            lines(12, 0),
            'l.jsonl: brand "acme" has only "on" lines (12); add 10 or more labelled "off"',
        ),
        (lines(0, 12), 'brand "acme" has only "off" lines (12); add 10 or more labelled "on"'),
        (lines(9, 12), 'has 9 different lines labelled "on"; add 1 or more labelled "on"'),
        (
            [*lines(10, 12), line("on 1", "on", 50), line("on 2", "off", 51)],
            "has 9 different lines",
        ),
        ([line("a", "on", 1), line("a", "off", 2)], "each text is labelled both ways"),
        ([*lines(10, 10), *lines(10, 10, "Acme")], 'l.jsonl:0: brand "Acme" differs only in case'),
    ],
)
def test_too_little_to_train_from(given: list[LabelLine], message: str) -> None:
    with pytest.raises(OnbrandError) as caught:
        group_by_brand(given)
    assert message in str(caught.value)
