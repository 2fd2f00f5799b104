"""A bundle beside its source: a good one passes, one that was quantised badly does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spoiled
from tiny_models import tiny_model
from typer.testing import CliRunner

from onbrand.encoder import read_manifest
from onbrand.errors import OnbrandError
from onbrand.labels.files import read_labels
from onbrand.labels.grouping import group_by_brand
from onbrand_cli.demo import brand_files, examples_folder
from onbrand_cli.models import app
from onbrand_cli.train import train_all
from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.quantise import Target
from onbrand_models.quantise.requantize import quantise_bundle
from onbrand_models.source import SourceModel, find_source

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]

DRAFTS = str(examples_folder() / "drafts")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SourceModel:
    return find_source(str(tiny_model("bert", tmp_path_factory.mktemp("models") / "tiny")))


@pytest.fixture(scope="module")
def floats(source: SourceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "float32"
    export_bundle(source, folder, ExportOptions(target=Target.FLOAT32, measure=False))
    return folder


@pytest.fixture(scope="module")
def exported(floats: Path) -> Path:
    quantise_bundle(floats, floats.parent / "portable", Target.PORTABLE)
    return floats.parent / "portable"


@pytest.fixture
def bundle(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "bundle"))


@pytest.fixture(scope="module")
def voices(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voices")
    train_all(group_by_brand(read_labels(brand_files()[:2])), folder, encoder=exported)
    return folder


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two example brands, every third line of each for the test."""
    folder = tmp_path_factory.mktemp("labels") / "tasks"
    folder.mkdir()
    for file in brand_files()[:2]:
        lines = file.read_text("utf-8").splitlines()
        halves = {"test": lines[::3], "train": [line for i, line in enumerate(lines) if i % 3]}
        for half, part in halves.items():
            (folder / f"{file.stem}.{half}.jsonl").write_text("\n".join(part), "utf-8")
    return folder


def verify(bundle: Path, source: SourceModel, *options: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the checks by name."""
    arguments = ["verify", str(bundle), "--against", str(source.folder), "--format", "json"]
    result = CliRunner().invoke(app, [*arguments, *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, {c["name"]: c for c in json.loads(result.stdout)["checks"]}


def failures(checks: dict[str, Any]) -> list[str]:
    return [name for name, check in checks.items() if not check["passed"]]


@pytest.mark.slow
def test_a_good_bundle_passes_every_check(
    exported: Path, source: SourceModel, voices: Path, tasks: Path
) -> None:
    options = ["--voices", str(voices), "--data", DRAFTS, "--data", str(tasks.parent)]
    code, checks = verify(exported, source, *options, "--max-accuracy-loss", "2")
    assert (code, failures(checks)) == (0, [])
    assert list(checks) == [
        *("files", "graph", "tokenizer", "vectors", "batches", "tokens"),
        *("parity", "real text", "verdicts", "accuracy"),
    ]
    parity = checks["parity"]["figures"]
    assert 0.999 < parity["min"] <= parity["p5"] <= parity["mean"] <= 1
    assert set(parity["layers"]) == set(parity["layers_centred"]) == {"0", "1", "2", "3"}
    verdicts = checks["verdicts"]["figures"]
    assert (verdicts["drafts"], verdicts["voices"], verdicts["verdicts"]) == (3, 2, 6)
    assert verdicts["flags"] > 50
    furthest = verdicts["furthest"]
    assert furthest["text"]
    assert 0 < abs(furthest["probability"] - furthest["source_probability"]) < 0.2
    accuracy = checks["accuracy"]["figures"]
    assert set(accuracy["tasks"]) == {"oatfolk", "quillpot"}
    assert accuracy["points"] == pytest.approx(
        100 * (accuracy["accuracy"] - accuracy["source_accuracy"])
    )


@pytest.mark.parametrize(
    ("how", "found_by"),
    [
        (spoiled.three_bits, ["parity"]),
        (spoiled.swapped_layers, ["tokens", "parity"]),
        (spoiled.blind_to_padding, ["batches", "tokens"]),
        (spoiled.not_numbers, ["vectors"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_graph_that_was_quantised_badly_fails(
    bundle: Path, source: SourceModel, how: Callable[[Any], None], found_by: list[str]
) -> None:
    """One for each check; test_verify_default.py has more ways, of a model that is in use."""
    spoiled.spoil(bundle, how)
    code, checks = verify(bundle, source)
    assert (code, failures(checks)) == (1, found_by)


@pytest.mark.parametrize(
    ("how", "found_by"),
    [
        (spoiled.cased, ["parity"]),
        (spoiled.reordered, ["parity"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_tokenizer_fails(
    bundle: Path, source: SourceModel, how: Callable[[dict[str, Any]], None], found_by: list[str]
) -> None:
    spoiled.respell(bundle, how)
    code, checks = verify(bundle, source)
    assert (code, failures(checks)) == (1, found_by)


@pytest.mark.parametrize("target", Target)
def test_what_every_recipe_makes_passes(
    floats: Path, source: SourceModel, tmp_path: Path, target: Target
) -> None:
    bundle = floats
    if target is not Target.FLOAT32:
        bundle = tmp_path / target
        quantise_bundle(floats, bundle, target)
    assert failures(verify(bundle, source)[1]) == []


@pytest.mark.slow
def test_what_the_voices_lose_is_found(
    bundle: Path, source: SourceModel, voices: Path, tmp_path: Path
) -> None:
    spoiled.spoil(bundle, spoiled.zero_points_wrong)
    own = Path(shutil.copytree(voices, tmp_path / "voices"))
    for path in own.glob("*/voice.json"):
        manifest = json.loads(path.read_text("utf-8"))
        manifest["encoder"]["fingerprint"] = read_manifest(bundle).fingerprint
        # Where the sentences are: what a random encoder says of any of them is near this.
        manifest["threshold"] = 0.6
        path.write_text(json.dumps(manifest), "utf-8")
    code, checks = verify(bundle, source, "--voices", str(own), "--data", DRAFTS)
    assert (code, failures(checks)) == (1, ["parity", "real text", "verdicts"])
    assert checks["verdicts"]["figures"]["percent_changed"] > 2


def test_another_model_of_the_same_shape(exported: Path, tmp_path: Path) -> None:
    other = find_source(str(tiny_model("bert", tmp_path / "other", seed=1)))
    code, checks = verify(exported, other)
    assert (code, failures(checks)) == (1, ["parity"])
    assert "whose weights are not those that encoder.json names" in checks["parity"]["detail"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "{tmp}/nowhere"], "no such folder; name one with drafts"),
        (["--data", "{tmp}"], "holds neither drafts nor TASK.train.jsonl files"),
        (["--data", "{few}"], "has 1 on-brand lines, 10 are the least; add more"),
        (["--data", "{blank}"], "--data holds no line of 3 words or more, so nothing to compare"),
        (["--data", "{half}"], "has acme.train.jsonl but no acme.test.jsonl"),
        (["--voices", "{voices}"], "--voices judge drafts; name a folder of them with --data"),
        (["--voices", "{tmp}", "--data", DRAFTS], "no voices found"),
        (["--voices", "{others}", "--data", DRAFTS], "was trained on encoder all-MiniLM-L6-v2"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    exported: Path,
    source: SourceModel,
    voices: Path,
    example_voices: Path,
    tmp_path: Path,
    options: list[str],
    message: str,
) -> None:
    empty, half = tmp_path / "empty", tmp_path / "half"
    empty.mkdir()
    half.mkdir()
    (half / "acme.train.jsonl").write_text("")
    few, blank = tmp_path / "few", tmp_path / "blank"
    few.mkdir()
    blank.mkdir()
    for part in ("train", "test"):
        (few / f"acme.{part}.jsonl").write_text('{"text": "We like oats.", "label": "on"}')
    (blank / "a.md").write_text("")
    places = {"tmp": empty, "half": half, "few": few, "blank": blank, "voices": voices}
    places["others"] = example_voices
    arguments = ["verify", str(exported), "--against", str(source.folder)]
    filled = [option.format(**places) for option in options]
    result = CliRunner().invoke(app, [*arguments, *filled])
    assert isinstance(result.exception, OnbrandError)
    assert message in result.exception.message
    assert "files" not in result.output, "found only after work"


def test_a_source_of_another_shape(exported: Path, tmp_path: Path) -> None:
    folder = tiny_model("bert", tmp_path / "other")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 2}))
    result = CliRunner().invoke(app, ["verify", str(exported), "--against", str(folder)])
    assert isinstance(result.exception, OnbrandError)
    assert "has layers 0-2 of width 32, the bundle pools layer 3 of" in result.exception.message
