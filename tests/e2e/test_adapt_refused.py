"""What adapting refuses before it learns anything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from adapting import adapt, six_lines_each, write_published
from tiny_models import tiny_model

from onbrand.errors import OnbrandError

pytestmark = [
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx", "sklearn"),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("bert", tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("copy") / "published.jsonl"
    return write_published(path, six_lines_each, count=60)


@pytest.fixture(autouse=True)
def no_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    from onbrand_models.finetune import run

    def train(*_: Any, **__: Any) -> None:
        raise AssertionError("began to learn")

    monkeypatch.setattr(run, "train", train)


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
        (tmp_path / "notes.txt", (), "is there and is no encoder bundle"),
        (tmp_path / "missing" / "..", (), "is there and is no encoder bundle"),
        (tmp_path / "ours", ("--name", "no/name"), "--name 'no/name': expected"),
        (tmp_path / "ours", ("--layers", "7-9"), "--layers '7-9': expected"),
    ):
        result = adapt(base, published, output, *more, "--work", str(tmp_path / "work"))
        assert isinstance(result.exception, OnbrandError)
        assert message in result.exception.message
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("output", [".", "", "/", "..", "new/.."])
def test_an_output_without_a_name(
    base: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    result = adapt(base, published, Path(output))
    assert isinstance(result.exception, OnbrandError), result.exception
    assert list(tmp_path.rglob("*")) == [inside]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no such file system here")
def test_an_output_where_nothing_can_be_written(
    base: Path, published: Path, tmp_path: Path
) -> None:
    result = adapt(base, published, Path("/proc/out"), "--work", str(tmp_path / "work"))
    assert isinstance(result.exception, OnbrandError)
    assert "cannot be written" in result.exception.message
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_kept_in_a_new_folder_only(base: Path, published: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for keep in (tmp_path / "mine", tmp_path / "file", base):
        result = adapt(base, published, tmp_path / "ours", "--keep-model", str(keep))
        assert isinstance(result.exception, OnbrandError), keep
        assert "is not empty, so it is left alone" in result.exception.message
    assert (tmp_path / "mine" / "precious.txt").read_text() == "x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


def test_folders_that_would_spoil_each_other(base: Path, published: Path, tmp_path: Path) -> None:
    output, link = tmp_path / "ours", tmp_path / "link"
    link.symlink_to(tmp_path)
    for more, message in (
        (("--keep-model", output), "--output is the same folder as --keep-model"),
        (("--keep-model", link / "ours"), "--output is the same folder as --keep-model"),
        (("--keep-model", output / "model"), "--output overlaps with --keep-model"),
        (("--keep-model", base / "model"), "--keep-model overlaps with --base"),
        (("--work", output), "--output is the same folder as --work"),
        (("--work", output / "work"), "--output overlaps with --work"),
        (("--work", base), "--work is the same folder as --base"),
        (("--keep-model", tmp_path / "ours.checkpoint"), "--work is the same folder"),
    ):
        result = adapt(base, published, output, *map(str, more))
        assert isinstance(result.exception, OnbrandError), more
        shown = " ".join(word for word in result.exception.message.split() if "/" not in word)
        assert message in shown
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_a_file_for_checkpoints(base: Path, published: Path, tmp_path: Path) -> None:
    (tmp_path / "work").write_text("mine")
    result = adapt(base, published, tmp_path / "ours", "--work", str(tmp_path / "work"))
    assert isinstance(result.exception, OnbrandError)
    assert "is no folder" in result.exception.message


def test_a_disk_that_checkpoints_do_not_fit_on(
    base: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onbrand_models.finetune import trainer as checkpoint

    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    result = adapt(base, published, tmp_path / "ours")
    assert isinstance(result.exception, OnbrandError)
    assert result.exception.message.startswith("has 1 MB free, and checkpoints take ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--device", "meta"), "--device meta: not usable here"),
        (("--rate", "nan"), "--rate nan: expected 1e-07 to 0.1"),
    ],
)
def test_options_that_no_run_could_use(
    base: Path, published: Path, tmp_path: Path, more: tuple[str, ...], message: str
) -> None:
    result = adapt(base, published, tmp_path / "ours", *more)
    assert isinstance(result.exception, OnbrandError)
    assert result.exception.message.startswith(message)
    assert list(tmp_path.iterdir()) == []
