"""The configuration and the labels that the pages show are ones that work."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs_samples import ROOT, Block, blocks
from onbrand.config import load_config
from onbrand.config.load import ConfigFile, PathRule
from onbrand.labels.files import read_labels

CONFIGURATION = ("onbrand.toml", "pyproject.toml")


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_toml_is_a_valid_configuration(block: Block, tmp_path: Path) -> None:
    assert block.title in CONFIGURATION, "say which file this is: ```toml onbrand.toml"
    file = tmp_path / block.title
    file.write_text(block.body, "utf-8")
    load_config(file)


def test_the_example_configuration_is_valid() -> None:
    load_config(ROOT / "examples/onbrand.toml")


def test_every_key_is_documented() -> None:
    page = (ROOT / "docs/configuration.md").read_text("utf-8")
    keys = {*ConfigFile.__struct_fields__, *PathRule.__struct_fields__}
    assert {key for key in keys if f"| `{key}` |" not in page} == set()


@pytest.mark.parametrize("block", [*blocks("jsonl"), *blocks("csv")], ids=str)
def test_label_samples_can_be_read(block: Block, tmp_path: Path) -> None:
    file = tmp_path / f"labels.{block.language}"
    file.write_text(block.body, "utf-8")
    assert len(read_labels([file])) >= 2


def test_the_guide_shows_the_figures_that_the_bench_wrote() -> None:
    wrote = (ROOT / "bench/results/recipes.md").read_text("utf-8").splitlines()
    table = [line for line in wrote if line.startswith("|")]
    assert len(table) > 2
    assert "\n".join(table) in (ROOT / "docs/ops.md").read_text("utf-8")
