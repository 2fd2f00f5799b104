"""An encoder learns from published copy, through being killed, and is exported if that helped."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_models import tiny_model
from typer.testing import CliRunner, Result

from onbrand.cli.models import app
from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError

pytestmark = [
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx", "sklearn"),
    pytest.mark.filterwarnings("default"),
    pytest.mark.slow,
]

HABITS = {
    "acme": ("hello", "you", "we", "really", "great"),
    "beta": ("pursuant", "shall", "the", "party", "herein"),
    "gamma": ("stir", "until", "add", "salt", "warm"),
}
WORDS = [
    "house",
    "tree",
    "river",
    "paper",
    "light",
    "stone",
    "market",
    "window",
    "garden",
    "letter",
    "music",
    "train",
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("bert", tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy whose brands differ in a word or two a line."""
    rng = random.Random(3)
    path = tmp_path_factory.mktemp("copy") / "published.jsonl"
    with path.open("w") as file:
        for brand, habits in HABITS.items():
            for i in range(240):
                words = [rng.choice(WORDS) for _ in range(9)]
                words[rng.randrange(9)] = rng.choice(habits)
                record = {"text": " ".join(words), "brand": brand, "doc": f"{brand}/{i // 6}"}
                file.write(json.dumps(record) + "\n")
    return path


def adapt(base: Path, published: Path, output: Path, *more: str) -> Result:
    arguments = ["adapt", "--published", str(published), "--base", str(base), "-o", str(output)]
    return CliRunner().invoke(app, [*arguments, "--epochs", "30", "--rate", "1e-3", *more])


def test_adapting_helps_and_the_bundle_says_what_it_learnt_from(
    base: Path, published: Path, tmp_path: Path
) -> None:
    result = adapt(base, published, tmp_path / "ours", "--keep-model", str(tmp_path / "model"))
    assert result.exit_code == 0, result.output
    assert "held-out documents" in result.output
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

    from onbrand_models.adapt import loop

    def model(name: str, *more: str) -> Result:
        keep = ["--keep-model", str(tmp_path / f"{name}.model")]
        return adapt(base, published, tmp_path / name, "--epochs", "4", *keep, *more)

    assert model("whole").exit_code == 0
    whole, count = loop.save_checkpoint, 0

    def stop(*arguments: Any) -> None:
        nonlocal count
        whole(*arguments)
        count += 1
        if count == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_checkpoint", stop)
    model("halves")
    assert not (tmp_path / "halves").exists()
    assert model("halves").exit_code == 0
    assert count > 4
    one, other = (
        load_file(tmp_path / f"{name}.model" / "model.safetensors") for name in ("whole", "halves")
    )
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)


def test_a_killed_run_goes_on(base: Path, published: Path, tmp_path: Path) -> None:
    output, work = tmp_path / "ours", tmp_path / "work"
    command = [sys.executable, "-m", "onbrand", "models", "adapt", "--published", str(published)]
    command += ["--base", str(base), "-o", str(output), "--work", str(work)]
    command += ["--epochs", "100", "--rate", "1e-3"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 120
        while not (work / "checkpoint.safetensors").exists():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert not output.exists()
    half_written = work / ".checkpoint.safetensors.abc.tmp"
    half_written.write_bytes(b"half")
    result = adapt(base, published, output, "--work", str(work))
    assert result.exit_code == 0, result.output
    Encoder.load(output)
    assert list(work.iterdir()) == []


def test_a_damaged_checkpoint_is_named(base: Path, published: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "checkpoint.safetensors").write_bytes(b"no checkpoint")
    result = adapt(base, published, tmp_path / "ours", "--work", str(tmp_path / "work"))
    assert isinstance(result.exception, OnbrandError)
    assert "delete it to begin anew" in result.exception.message
    assert not (tmp_path / "ours").exists()


def test_a_device_that_is_not_there(base: Path, published: Path, tmp_path: Path) -> None:
    result = adapt(base, published, tmp_path / "ours", "--device", "cuda:99")
    assert isinstance(result.exception, OnbrandError)
    assert result.exception.message.startswith("--device cuda:99: not usable here")


def test_what_cannot_be_written_is_told_before_anything_is_learnt(
    base: Path, published: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for output, more, message in (
        (tmp_path, (), "is there and is no encoder bundle"),
        (tmp_path / "ours", ("--name", "no/name"), "--name 'no/name': expected"),
        (tmp_path / "ours", ("--layers", "7-9"), "--layers '7-9': expected"),
    ):
        result = adapt(base, published, output, *more, "--work", str(tmp_path / "work"))
        assert isinstance(result.exception, OnbrandError)
        assert message in result.exception.message
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_weights_that_are_no_numbers_any_more_are_told(
    base: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onbrand_models.adapt import loop

    monkeypatch.setattr(loop, "held_out_loss", lambda *_: float("nan"))
    result = adapt(base, published, tmp_path / "ours")
    assert isinstance(result.exception, OnbrandError)
    assert "learning went astray" in result.exception.message
    assert not (tmp_path / "ours").exists()
