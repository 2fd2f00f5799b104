"""Lines of published copy that are not the brand's are left out; the brand's own ones stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from onbrand import Encoder
from onbrand.labels.files import read_labels
from onbrand.training.background import load_background
from onbrand.training.weak_labels import MAX_SHARE, find_misfits
from onbrand_cli.demo import brand_files


@dataclass(frozen=True)
class Copy:
    own: NDArray[np.float32]
    other: NDArray[np.float32]
    strange: NDArray[np.float32]
    """Lines of the background that are not in ``other``."""


@pytest.fixture(scope="module")
def copy(encoder: Encoder) -> Copy:
    background = load_background(encoder)
    assert background is not None
    lines = [line for line in read_labels(brand_files()) if line.brand == "oatfolk"]
    own = background.project(encoder.encode([line.text for line in lines if line.label == "on"]))
    shuffled = np.random.default_rng(0).permutation(background.lines())
    return Copy(own, shuffled[200:], shuffled[:200])


def test_pure_copy_is_taken_as_it_is(copy: Copy) -> None:
    assert not find_misfits(copy.own, copy.other, [None] * len(copy.own)).any()


def test_others_lines_are_found_among_the_brands(copy: Copy) -> None:
    own = len(copy.own)
    mixed = np.concatenate([copy.own, copy.strange[: own // 4]])
    misfits = find_misfits(mixed, copy.other, [None] * len(mixed))
    assert misfits[own:].mean() > 0.5
    assert misfits[:own].mean() < 0.05


def test_no_more_than_a_fifth_is_left_out(copy: Copy) -> None:
    mixed = np.concatenate([copy.own, copy.strange[: len(copy.own)]])
    assert find_misfits(mixed, copy.other, [None] * len(mixed)).mean() <= MAX_SHARE


def test_a_page_is_judged_without_its_own_lines(copy: Copy) -> None:
    own = len(copy.own)
    mixed = np.concatenate([copy.own, copy.strange[: own // 4]])
    pages = [f"page {i // 8}" for i in range(own)] + ["guest post"] * (own // 4)
    misfits = find_misfits(mixed, copy.other, pages)
    assert misfits[own:].mean() > 0.5
