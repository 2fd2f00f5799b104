"""Telling whether adapting has helped, by more than luck."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx", "sklearn"),
    pytest.mark.filterwarnings("default"),
]


@pytest.mark.parametrize(
    ("gained", "lost", "luck", "helped"),
    [
        (0, 0, 1.0, False),
        (1, 0, 0.5, False),
        (0, 5, 1.0, False),
        (4, 0, 1 / 16, True),
        (4, 3, 0.5, False),
        (60, 30, 0.001, True),
        (1200, 800, 0.0, True),
    ],
)
def test_a_gain_counts_where_luck_hardly_gives_one(
    gained: int, lost: int, luck: float, helped: bool
) -> None:
    import numpy as np

    from onbrand_models.finetune.significance import compare

    before = np.array([False] * gained + [True] * lost + [True, False])
    after = np.array([True] * gained + [False] * lost + [True, False])
    comparison = compare(before, after)
    assert (comparison.gained, comparison.lost, comparison.lines) == (
        gained,
        lost,
        gained + lost + 2,
    )
    assert comparison.p_value == pytest.approx(luck, abs=1e-3)
    assert comparison.helped == helped


def test_luck_in_words() -> None:
    from onbrand_models.finetune.significance import PairedComparison

    assert PairedComparison(0.5, 0.6, 100, 10, 0).format_p_value() == "less than 0.1%"
    assert PairedComparison(0.5, 0.6, 100, 1, 0).format_p_value() == "50.0%"


def test_the_compiler_leaves_no_folder_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onbrand_models.library_noise import compiler_cache

    name = "TORCHINDUCTOR_CACHE_DIR"
    monkeypatch.delenv(name, raising=False)
    with compiler_cache():
        folder = Path(os.environ[name])
        assert folder.is_dir()
    assert not folder.exists()
    assert name not in os.environ
    monkeypatch.setenv(name, str(tmp_path))
    with compiler_cache():
        assert os.environ[name] == str(tmp_path)
    assert os.environ[name] == str(tmp_path)
