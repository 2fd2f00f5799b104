"""From labels to voices: ``train``, ``evaluate``, ``voices`` and ``demo``."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cli_runner import BRAND_NAMES, BRANDS, OFF_BRAND, error_of, run

from onbrand.training.crossval import DEFAULT_ALARM_BUDGET
from onbrand.training.evaluate import Evaluation, evaluate_folder
from onbrand.voice.model import DEFAULT_GATE
from onbrand_cli import train

FEW = 25
"""Lines of each class in the small brands of these tests: enough to train on, and quick."""


def some_lines(brand: str, start: int = 0) -> list[dict[str, str]]:
    text = (BRANDS / f"{brand}.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    by_label = [[line for line in lines if line["label"] == label] for label in ("on", "off")]
    return [line for lines in by_label for line in lines[start : start + FEW]]


def write_jsonl(path: Path, lines: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Labels of two small brands in the working folder, which is outside any project."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "onbrand.toml").write_text("root = true\n")
    write_jsonl(tmp_path / "labels.jsonl", some_lines("oatfolk") + some_lines("quillpot"))
    return tmp_path


def manifest(folder: Path) -> dict[str, object]:
    return json.loads((folder / "voice.json").read_text(encoding="utf-8"))


def test_the_defaults_of_the_options_are_those_of_the_engine() -> None:
    assert (train.DEFAULT_GATE, train.DEFAULT_ALARM_BUDGET) == (DEFAULT_GATE, DEFAULT_ALARM_BUDGET)


def test_training_reports_each_voice_in_80_columns(labels: Path) -> None:
    done = run("train", "labels.jsonl")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("2 voices in voices\n")
    for brand in ("oatfolk", "quillpot"):
        assert re.search(rf"\n {brand} +25 \+ 25 +\d+\.\d% +\d+\.\d% +[01]\.\d+ ", done.out)
        assert manifest(labels / "voices" / brand)["brand"] == brand
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_voice_keeps_no_texts_if_asked_to(labels: Path) -> None:
    run("train", "labels.jsonl", "-b", "oatfolk", "--gate", "0.9", "--no-texts", "-o", "quiet")
    assert sorted(file.name for file in (labels / "quiet").iterdir()) == ["oatfolk"]
    voice = labels / "quiet" / "oatfolk"
    assert sorted(file.name for file in voice.iterdir()) == ["head.safetensors", "voice.json"]
    assert manifest(voice)["gate"] == 0.9
    done = run("check", "-", "--voices", "quiet", stdin=OFF_BRAND.encode())
    assert done.code == 1
    assert "nearest on-brand line" not in done.out


def test_training_again_replaces_the_voice(labels: Path) -> None:
    run("train", "labels.jsonl", "-b", "oatfolk", "--no-texts")
    run("train", "labels.jsonl", "-b", "oatfolk", "--gate", "0.8")
    assert manifest(labels / "voices" / "oatfolk")["gate"] == 0.8
    assert (labels / "voices" / "oatfolk" / "examples.jsonl").exists()
    assert [path.name for path in (labels / "voices").iterdir()] == ["oatfolk"]


def test_labels_go_from_the_store_into_a_voice_and_a_check(labels: Path) -> None:
    assert run("labels", "import", "labels.jsonl", "--db", "labels.db").code == 0
    done = run("train", "--labels-db", "labels.db", "-b", "quillpot")
    assert (done.code, done.err) == (0, "")
    (draft, *_) = [line["text"] for line in some_lines("quillpot") if line["label"] == "off"]
    report = run("check", "-", "--format", "json", stdin=draft.encode()).json()["files"][0]
    assert report["brand"] == "quillpot"
    assert report["probability"] < 0.5
    # Lines of the store and of files join; what is in both counts once.
    write_jsonl(labels / "more.jsonl", some_lines("quillpot", FEW - 5))
    run("train", "more.jsonl", "--labels-db", "labels.db", "-b", "quillpot")
    counts = manifest(labels / "voices" / "quillpot")["labels"]
    assert (counts["on"], counts["off"]) == (2 * FEW - 5, 2 * FEW - 5)


def test_the_default_store(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONBRAND_LABELS_DB", str(labels / "own" / "labels.db"))
    assert "there is no label store" in error_of(run("train", "--labels-db", "-"))
    assert not (labels / "own").exists()
    run("labels", "import", "labels.jsonl")
    assert run("train", "--labels-db", "-").code == 0
    assert len(list((labels / "voices").iterdir())) == 2


def test_voices_are_listed(example_voices: Path) -> None:
    done = run("voices", "list", "--voices", example_voices)
    assert (done.code, done.err) == (0, "")
    assert re.search(
        r"\n tallowgate-museum +80 \+ 80 +\d\d\.\d% +P 0\.\d\d +P 0\.70 +\d{4}-\d\d-\d\d", done.out
    )
    assert max(map(len, done.out.splitlines())) <= 80
    records = run("voices", "list", "--voices", example_voices, "--format", "json").json()
    records = records["voices"]
    assert [record["brand"] for record in records] == BRAND_NAMES
    assert [Path(record["folder"]).name for record in records] == [r["brand"] for r in records]


def test_a_voice_is_shown(example_voices: Path) -> None:
    command = ["voices", "show", "varnholt-pumps", "--voices", example_voices]
    done = run(*command)
    assert done.code == 0
    assert re.search(r"on 80 on-brand and 80 off-brand lines\n  encoder all-MiniLM-L6-v2", done.out)
    assert re.search(r"\n    \d+-\d+ words\n", done.out)
    paths = re.compile(r"\.jsonl:\d")  # they are as long as they are
    assert max(len(line) for line in done.out.splitlines()[1:] if not paths.search(line)) <= 80
    record = run(*command, "--format", "json").json()
    assert record["labels"]["on"] == 80
    message = error_of(run("voices", "show", "varnholt", "--voices", example_voices))
    assert message.startswith("no voice for brand 'varnholt'; did you mean 'varnholt-pumps'?")


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        self._cell = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[-1].append(data)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    for brand in ("oatfolk", "varnholt-pumps"):
        write_jsonl(folder / f"{brand}.train.jsonl", some_lines(brand))
        write_jsonl(folder / f"{brand}.test.jsonl", some_lines(brand, FEW))
    return folder


def test_evaluation_says_the_same_in_every_format(
    tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Evaluation] = []

    def once(*arguments: Any, **options: Any) -> Evaluation:
        if not done:
            done.append(evaluate_folder(*arguments, **options))
        return done[0]

    monkeypatch.setattr("onbrand.training.evaluate.evaluate_folder", once)
    result = run("evaluate", tasks, "--format", "json").json()
    assert [task["task"] for task in result["tasks"]] == ["oatfolk", "varnholt-pumps"]
    assert {(task["train"], task["test"]) for task in result["tasks"]} == {(2 * FEW, 2 * FEW)}
    accuracies = [task["accuracy"] for task in result["tasks"]]
    assert result["mean"]["accuracy"] == pytest.approx(sum(accuracies) / 2, abs=1e-4)
    shown = [f"{accuracy:.1%}" for accuracy in accuracies]

    page, table = _Cells(), tasks / "table.html"
    assert run("evaluate", tasks, "--format", "html", "-o", table).out == ""
    page.feed(table.read_text(encoding="utf-8"))
    assert [row[1] for row in page.rows[1:3]] == shown

    lines = run("evaluate", tasks, "--format", "markdown").out.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[1] for row in rows[2:4]] == shown
    assert {len(row) for row in rows} == {8}

    out = run("evaluate", tasks).out
    assert max(map(len, out.splitlines())) <= 80
    assert [re.search(rf" {t} +(\S+)", out)[1] for t in ("oatfolk", "varnholt-pumps")] == shown


def test_half_a_task_is_told(tasks: Path, tmp_path: Path) -> None:
    (tmp_path / "oatfolk.train.jsonl").write_bytes((tasks / "oatfolk.train.jsonl").read_bytes())
    message = error_of(run("evaluate", tmp_path))
    assert message == f"{tmp_path}: has oatfolk.train.jsonl but no oatfolk.test.jsonl; add it"


def test_the_demo_trains_checks_and_cleans_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = run("demo")
    assert (done.code, done.err) == (0, "")
    assert "$ onbrand train brands/quillpot.jsonl -o voices\n" in done.out
    assert "1 voice in voices\n" in done.out
    assert "$ onbrand check drafts/quillpot-tax-season.md --voices voices\n" in done.out
    assert (
        "drafts/quillpot-tax-season.md:14:106: reads like corporate-speak; quillpot’s" in done.out
    )
    lines = re.findall(r"^(tax-season\S*) +(forward|review) +<?[01]\.\d\d +\d", done.out, re.M)
    assert lines == [
        ("tax-season", "forward"),
        ("tax-season-chatbot", "review"),
        ("tax-season-corporate", "review"),
        ("tax-season-hype", "review"),
    ]
    assert all(len(line) <= 80 for line in done.out.split("A page as the brand")[1].splitlines())
    assert list(tmp_path.iterdir()) == []
