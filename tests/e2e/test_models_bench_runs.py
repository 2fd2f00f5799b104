"""``onbrand models bench`` from labels to figures, advice and picture, on encoders of some kB."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cli_runner import BRANDS, run
from spoiled import respell, sign
from tiny_encoder import tiny_encoder

from onbrand_models.bench import compare

pytestmark = pytest.mark.usefixtures("brief")

SHAPE: dict[str, Any] = {
    "format": int,
    "source": str,
    "machine": str,
    "lines": {"oatfolk": int, "quillpot": int},
    "left_out": list,
    "front": list,
    "best": str,
    "choice": str,
    "advice": str,
    "candidates": list,
}
CANDIDATE: dict[str, Any] = {
    "name": str,
    "fingerprint": str,
    "layers": list,
    "dim": int,
    "target": str,
    "quantisation": str,
    "accuracy": {
        "mean": float,
        "error": float,
        "auroc": float,
        "log_loss": float,
        "baseline": float,
        "brands": {"oatfolk": float, "quillpot": float},
    },
    "pace": {
        "sentences_per_second": float,
        "latency_ms": float,
        "latency_p95_ms": float,
        "threads": int,
    },
    "size": int,
    "memory": int,
    "cosine": {"mean": float, "min": float, "sentences": int},
}


def shape(value: Any) -> Any:
    """Return the keys of an object, with the types of what is no object."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return type(value)


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speed is measured on the fewest sentences, for the figures are no matter here."""
    monkeypatch.setattr(compare, "ROUND_SECONDS", 0.0)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Forty lines each of two brands."""
    folder = tmp_path / "labels"
    folder.mkdir()
    for brand in ("oatfolk", "quillpot"):
        lines = (BRANDS / f"{brand}.jsonl").read_text("utf-8").splitlines()
        on = [line for line in lines if json.loads(line)["label"] == "on"]
        off = [line for line in lines if json.loads(line)["label"] == "off"]
        (folder / f"{brand}.jsonl").write_text("\n".join(on[:20] + off[:20]), "utf-8")
    return folder


@pytest.fixture
def bundles(tmp_path: Path) -> list[Path]:
    for seed, name in enumerate(("first", "second")):
        tiny_encoder(tmp_path / name, seed)
    return [tmp_path / "first", tmp_path / "second"]


def options(name: str, *values: str | Path) -> list[str | Path]:
    return [part for value in values for part in (name, value)]


def test_ready_bundles_are_compared(labels: Path, bundles: list[Path], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    done = run("models", "bench", labels, *options("--bundle", *bundles, gone), "--format", "json")
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert "warning: left out gone:" in done.err
    found = done.json()
    assert [one["name"] for one in found["candidates"]] == ["first", "second"]
    assert [one["name"] for one in found["left_out"]] == ["gone"]
    assert found["source"] is None
    assert found["lines"] == {"oatfolk": 40, "quillpot": 40}
    for one in found["candidates"]:
        assert 0.3 < one["accuracy"]["mean"] < 1
        assert one["cosine"]["mean"] == 1.0
    assert found["choice"] in found["front"]


def test_code_in_the_current_folder_is_not_run(
    labels: Path, bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "msgspec", "numpy"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    done = run("models", "bench", labels / "oatfolk.jsonl", "--bundle", bundles[0].name)
    assert (done.code, done.err, (tmp_path / "ran").exists()) == (0, "", False)


def test_a_bundle_that_promises_too_much_is_left_out(labels: Path, bundles: list[Path]) -> None:
    """The others go on; a graph whose weights are no numbers is one more of the kind."""
    no_numbers = bundles[1]
    data = (no_numbers / "model.onnx").read_bytes()
    start = data.index(b"table", data.index(b"tiny")) + 12
    (no_numbers / "model.onnx").write_bytes(data[:start] + b"\xff" * 400 + data[start + 400 :])
    sign(no_numbers)
    beyond = Path(shutil.copytree(bundles[0], bundles[0].with_name("beyond")))
    respell(beyond, lambda content: content["model"]["vocab"].update({"[UNK]": 99}))
    file = labels / "oatfolk.jsonl"
    done = run(
        *("models", "bench", file, "--format", "json"), *options("--bundle", *bundles, beyond)
    )
    assert done.code == 0, done.err
    assert [one["name"] for one in done.json()["candidates"]] == ["first"]
    reasons = {one["name"]: one["reason"] for one in done.json()["left_out"]}
    assert "gives vectors that are no finite numbers" in reasons["second"]
    assert "cannot encode texts of up to 64 tokens" in reasons["beyond"]


def test_a_line_that_cannot_be_encoded_leaves_the_candidate_out(
    labels: Path, bundles: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every line is in the sample that speed is measured on."""
    monkeypatch.setattr(compare, "sample_texts", lambda _: ["one line"] * 16)
    respell(bundles[1], lambda content: content["model"]["vocab"].update(oats=99))
    done = run("models", "bench", labels / "oatfolk.jsonl", *options("--bundle", *bundles))
    assert done.code == 0, done.err
    assert "warning: left out second:" in done.err
    done = run("models", "bench", labels / "oatfolk.jsonl", "--bundle", bundles[1])
    assert (done.code, "no candidate is left to compare" in done.err) == (2, True)


def test_the_table_fits_a_terminal(labels: Path, bundles: list[Path]) -> None:
    done = run("models", "bench", labels / "oatfolk.jsonl", *options("--bundle", *bundles))
    assert done.code == 0
    table = done.out[: done.out.index("◆ on the Pareto front")].splitlines()
    assert max(map(len, table)) <= 80
    assert "…" not in done.out
    assert "\nTake " in done.out


@pytest.mark.heavy("matplotlib")
def test_the_results_are_written(labels: Path, bundles: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "results"
    done = run("models", "bench", labels / "oatfolk.jsonl", "--bundle", bundles[0], "-o", output)
    assert (done.code, done.err) == (0, "")
    assert sorted(path.name for path in output.iterdir()) == [
        *("bench.json", "bench.md", "tradeoff.png", "tradeoff.svg"),
    ]
    assert (output / "tradeoff.png").read_bytes().startswith(b"\x89PNG")
    assert "tradeoff.svg" in (output / "bench.md").read_text("utf-8")
    assert json.loads((output / "bench.json").read_text("utf-8"))["choice"] == "first"


def test_an_interrupted_comparison_writes_nothing(
    labels: Path, bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "measure_accuracy", interrupt)
    before = sorted(tmp_path.rglob("*"))
    done = run("models", "bench", labels, "--bundle", bundles[0])
    assert done.code == 130
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "--bundle", "first"], "error: nowhere: no such file; check the path"),
        (["labels", "--bundle", "nowhere"], "error: no candidate is left to compare"),
        (["few", "--bundle", "first"], 'add 9 or more labelled "off"'),
        (["labels", "--bundle", "first", "-o", "first/model.onnx"], "is no folder to write to"),
        (["labels", "--keep", "first/model.onnx"], "is no folder to write to"),
        (["labels", "--target", "tpu"], "'tpu'"),
    ],
)
@pytest.mark.heavy("matplotlib")
def test_bad_input_is_told_in_one_line(
    labels: Path,
    bundles: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    (tmp_path / "few").mkdir()
    lines = (labels / "oatfolk.jsonl").read_text("utf-8").splitlines()
    (tmp_path / "few" / "few.jsonl").write_text("\n".join(lines[:21]), "utf-8")
    monkeypatch.chdir(tmp_path)
    done = run("models", "bench", *arguments)
    *warnings, error = done.err.splitlines()
    assert (done.code, done.out, message in error) == (2, "", True), done.err
    assert all(line.startswith("warning: left out") for line in warnings)


@pytest.mark.slow
@pytest.mark.heavy("torch", "transformers", "optimum", "onnx", "matplotlib")
@pytest.mark.filterwarnings("default")  # torch and optimum announce their own deprecations
def test_layers_and_recipes_of_a_model_are_compared(labels: Path, tmp_path: Path) -> None:
    from tiny_models import tiny_model

    source, keep = tiny_model("bert", tmp_path / "tiny-bert"), tmp_path / "kept"
    choices = [
        *options("--layers", "all", "0-3", "0-1", "7"),
        *options("--target", "float32", "portable"),
    ]
    done = run(
        *("models", "bench", labels, "--source", source, *choices),
        *("--keep", keep, "-o", tmp_path / "results", "--format", "json"),
    )
    assert done.code == 0, done.err
    assert "warning: left out 7: --layers '7'" in done.err
    found = done.json()
    assert shape(found) == SHAPE
    assert {json.dumps(shape(one), default=str) for one in found["candidates"]} == {
        json.dumps(CANDIDATE, default=str)
    }
    names = [
        f"{layers} {target}" for layers in ("all", "0-1") for target in ("float32", "portable")
    ]
    assert [one["name"] for one in found["candidates"]] == names
    exact, quantised = (one["cosine"] for one in found["candidates"][:2])
    assert exact["min"] == pytest.approx(1.0, abs=1e-5)
    assert 0.9 < quantised["min"] < quantised["mean"] < 1
    assert sorted(path.name for path in keep.iterdir()) == sorted(
        name.replace(" ", "-") for name in names
    )
    assert json.loads((tmp_path / "results" / "bench.json").read_text("utf-8")) == found


@pytest.mark.heavy("torch", "transformers", "optimum", "onnx")
@pytest.mark.filterwarnings("default")
def test_a_model_that_cannot_be_exported_leaves_the_ready_bundles(
    labels: Path, bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiny_models import tiny_model

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    broken = Path(shutil.copytree(tiny_model("bert", tmp_path / "tiny"), tmp_path / "broken"))
    (broken / "model.safetensors").write_bytes(b"broken")
    done = run(
        *("models", "bench", labels / "oatfolk.jsonl", "--source", broken, "--layers", "all"),
        *("--bundle", bundles[0], "--format", "json"),
    )
    assert (done.code, "warning: left out all:" in done.err) == (0, True), done.err
    assert [one["name"] for one in done.json()["candidates"]] == ["first"]
    assert list(tmp_path.glob("onbrand-bench-*")) == []
