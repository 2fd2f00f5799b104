"""An encoder learns from published copy, through being killed, and is exported if that helped."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from adapting import LEARNING, WORDS, adapt, six_lines_each, write_published
from tiny_models import tiny_model
from typer.testing import CliRunner, Result

from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand_cli.models import app

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx", "sklearn"),
    pytest.mark.filterwarnings("default"),
    pytest.mark.slow,
]


@pytest.fixture(autouse=True)
def single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which floats are faster takes seconds to find out; `test_a_killed_run_goes_on` does it."""
    from onbrand_models.finetune import trainer

    monkeypatch.setattr(trainer, "precision", lambda _: "float32")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("bert", tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("copy") / "published.jsonl", six_lines_each)


def test_adapting_helps_and_the_bundle_says_what_it_learnt_from(
    base: Path, published: Path, tmp_path: Path
) -> None:
    result = adapt(base, published, tmp_path / "ours", "--keep-model", str(tmp_path / "model"))
    assert result.exit_code == 0, result.output
    assert "held-out documents" in result.output
    assert "batches, held-out loss" in result.output, "nothing says how far it is"
    encoder = Encoder.load(tmp_path / "ours")
    assert encoder.name == "tiny-adapted"
    assert encoder.manifest.source == "tiny (tiny), adapted to published copy"
    card = (tmp_path / "ours" / "README.md").read_text()
    assert "| acme | " in card
    assert str(tmp_path) not in card
    verified = CliRunner().invoke(
        app, ["verify", str(tmp_path / "ours"), "--against", str(tmp_path / "model")]
    )
    assert verified.exit_code == 0, verified.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "ours"]


def test_copy_that_teaches_nothing_writes_nothing(base: Path, tmp_path: Path) -> None:
    """The brands write the same, so whoever names them right guesses."""
    rng = random.Random(5)
    path = tmp_path / "same.jsonl"
    lines = [
        {"text": " ".join(rng.choices(WORDS, k=9)), "brand": f"b{i % 2}", "doc": str(i // 10)}
        for i in range(400)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = adapt(base, path, tmp_path / "ours")
    helped = "nothing was written" not in result.output
    assert result.exit_code == (0 if helped else 1)
    assert (tmp_path / "ours").exists() == helped
    assert "stopped when held-out lines got no better" in result.output


def test_an_interrupted_run_goes_on_to_the_same_weights(
    base: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.numpy import load_file

    from onbrand_models.finetune import trainer as loop
    from onbrand_models.finetune.significance import PairedComparison

    def model(name: str, *more: str) -> Result:
        keep = ["--keep-model", str(tmp_path / f"{name}.model")]
        return adapt(base, published, tmp_path / name, "--epochs", "2", *keep, *more)

    monkeypatch.setattr(PairedComparison, "helped", True)
    assert model("whole").exit_code == 0
    whole, count = loop.save_checkpoint, 0

    def stop(*arguments: Any) -> None:
        nonlocal count
        whole(*arguments)
        count += 1
        if count == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_checkpoint", stop)
    assert "the same command goes on" in model("halves").output
    assert not (tmp_path / "halves").exists()
    assert model("halves").exit_code == 0
    assert count > 2
    one, other = (
        load_file(tmp_path / f"{name}.model" / "model.safetensors") for name in ("whole", "halves")
    )
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)


KILLED = """
import os, signal, sys
from onbrand_cli import main
from onbrand_models.finetune import trainer

whole = trainer.save_checkpoint

def save_and_die(*arguments):
    whole(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

trainer.save_checkpoint = save_and_die
main()
"""


def test_a_killed_run_goes_on(base: Path, published: Path, tmp_path: Path) -> None:
    output, work = tmp_path / "ours", tmp_path / "work"
    options = ["--base", str(base), "-o", str(output), "--work", str(work), *LEARNING]
    command = [sys.executable, "-c", KILLED, "models", "adapt", "--published", str(published)]
    died = subprocess.run([*command, *options], capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert (work / "checkpoint.safetensors").is_file()
    assert not output.exists()
    half_written = work / ".checkpoint.safetensors.abc.tmp"
    half_written.write_bytes(b"half")
    result = adapt(base, published, output, "--work", str(work))
    assert result.exit_code == 0, result.output
    checks = [line for line in result.output.splitlines() if "batches, held-out loss" in line]
    assert checks[0].startswith("6 of "), "it does not go on after the check at which it was killed"
    Encoder.load(output)
    assert list(work.iterdir()) == []


def test_a_damaged_checkpoint_is_named(base: Path, published: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "checkpoint.safetensors").write_bytes(b"no checkpoint")
    result = adapt(base, published, tmp_path / "ours", "--work", str(tmp_path / "work"))
    assert isinstance(result.exception, OnbrandError)
    assert "delete it to begin anew" in result.exception.message
    assert not (tmp_path / "ours").exists()


def test_a_run_that_went_astray_leaves_nothing_in_the_way(
    base: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onbrand_models.finetune import trainer as loop

    with monkeypatch.context() as patch:
        patch.setattr(loop, "held_out_loss", lambda *_: float("nan"))
        result = adapt(base, published, tmp_path / "ours")
    assert isinstance(result.exception, OnbrandError)
    assert "learning went astray" in result.exception.message
    assert list(tmp_path.iterdir()) == []


def test_a_run_interrupted_before_any_loss_was_a_number_goes_on(
    base: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onbrand_models.finetune import trainer as loop

    whole = loop.save_checkpoint

    def stop(*arguments: Any) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "held_out_loss", lambda *_: float("nan"))
        patch.setattr(loop, "save_checkpoint", stop)
        adapt(base, published, tmp_path / "ours")
    assert (tmp_path / "ours.checkpoint" / "checkpoint.safetensors").is_file()
    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_checkpoint", stop)
        other = adapt(base, published, tmp_path / "ours", "--rate", "1e-2")
        assert "is of another run" in other.output, "a checkpoint is replaced without a word"
    result = adapt(base, published, tmp_path / "ours", "--rate", "1e-2", "--epochs", "1")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception


def test_a_full_disk_is_told_in_a_line(
    base: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import SafetensorError

    from onbrand_models.finetune import run, trainer
    from onbrand_models.finetune.significance import PairedComparison

    def full(*_: Any) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(trainer, "save_file", full)
    learning = adapt(base, published, tmp_path / "ours")
    assert isinstance(learning.exception, OnbrandError)
    assert "cannot be written (I/O error: No space left" in learning.exception.message
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr(run, "save_model", full)
    monkeypatch.setattr(PairedComparison, "helped", True)
    keep = tmp_path / "model"
    writing = adapt(base, published, tmp_path / "ours", "--epochs", "1", "--keep-model", str(keep))
    assert isinstance(writing.exception, OnbrandError)
    assert "cannot be written (I/O error: No space left" in writing.exception.message
    assert [path.name for path in tmp_path.iterdir()] == ["ours.checkpoint"]


def test_the_embeddings_alone_in_a_folder_that_a_file_manager_has_seen(
    base: Path, published: Path, tmp_path: Path
) -> None:
    (tmp_path / "ours.checkpoint").mkdir()
    (tmp_path / "ours.checkpoint" / ".DS_Store").write_bytes(b"icons")
    result = adapt(base, published, tmp_path / "ours", "--layers", "0", "--rate", "1e-2")
    assert result.exit_code == 0, result.output
    assert Encoder.load(tmp_path / "ours").layers == (0,)
    assert [path.name for path in (tmp_path / "ours.checkpoint").iterdir()] == [".DS_Store"]


def test_lines_are_held_out_where_documents_cannot_be(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One brand has documents, the others a single one that holds all their copy."""
    from onbrand_models.finetune import trainer

    monkeypatch.setattr(trainer, "precision", lambda _: "bfloat16")  # as on a few processors

    def doc(brand: str, line: int) -> str:
        return six_lines_each(brand, line) if brand == "acme" else brand

    path = write_published(tmp_path / "published.jsonl", doc)
    result = adapt(base, path, tmp_path / "ours", "--epochs", "2")
    assert "beta has no documents that could be held out" in result.output
    assert "brand named right on 36 held-out lines: " in result.output
    assert result.exit_code == (0 if (tmp_path / "ours").exists() else 1)


def test_one_document_a_brand_that_teaches_nothing_writes_nothing(
    base: Path, tmp_path: Path
) -> None:
    rng = random.Random(5)
    path = tmp_path / "same.jsonl"
    lines = [
        {"text": " ".join(rng.choices(WORDS, k=9)), "brand": f"b{i % 2}", "doc": str(i % 2)}
        for i in range(400)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = adapt(base, path, tmp_path / "ours", "--epochs", "2")
    assert result.exit_code == 1, result.output
    assert "so nothing was written" in result.output
    assert not (tmp_path / "ours").exists()
