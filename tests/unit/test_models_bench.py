"""Comparing encoders: what is read, what is timed, what is advised and how it is shown."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from models_bench_samples import LINES, figures, report
from numpy.typing import NDArray
from tiny_encoder import tiny_encoder

from onbrand.errors import OnbrandError
from onbrand_models.bench import compare
from onbrand_models.bench import report as bench_report
from onbrand_models.bench.compare import (
    default_layers,
    existing_bundles,
    measure_memory,
    measure_throughput,
    read_brands,
)
from onbrand_models.bench.report import (
    HEADINGS,
    LONG_HEADINGS,
    fastest_of_the_best,
    notes,
    recommend,
    rows,
    standard_error,
    summarise,
    to_markdown,
)


def write_labels(path: Path, each: int = 10, brand: str | None = "acme") -> None:
    named = {"brand": brand} if brand else {}
    lines = [
        json.dumps({"text": f"{label} line {i}", "label": label, **named})
        for label in ("on", "off")
        for i in range(each)
    ]
    path.write_text("\n".join(lines))


def test_of_tasks_only_the_training_files_are_read(tmp_path: Path) -> None:
    write_labels(tmp_path / "acme.train.jsonl", brand=None)
    for kind in ("test", "pool"):
        (tmp_path / f"acme.{kind}.jsonl").write_text("this would be an error")
    brands = read_brands(tmp_path, warn=pytest.fail)
    assert {brand: len(lines) for brand, lines in brands.items()} == {"acme": 20}


def test_test_files_alone_are_no_ground_for_a_choice(tmp_path: Path) -> None:
    write_labels(tmp_path / "acme.test.jsonl")
    with pytest.raises(OnbrandError, match=r"no TASK\.train\.jsonl"):
        read_brands(tmp_path, warn=pytest.fail)


def test_label_files_are_read_as_training_reads_them(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.jsonl")
    rows = [f"{label} line {i},{label},beta" for label in ("on", "off") for i in range(10)]
    (tmp_path / "b.csv").write_text("\n".join(["text,label,brand", *rows]))
    assert sorted(read_brands(tmp_path, warn=pytest.fail)) == ["acme", "beta"]


def test_a_name_stays_in_its_cell_of_markdown() -> None:
    name = "a|b\nc portable"
    found = summarise([figures(name, 0.8, 100)], [], LINES, None)
    row = next(line for line in to_markdown(found).splitlines() if line.startswith("| a"))
    assert row.startswith("| a\\|b c portable ◆ | 80.0% |")


@pytest.mark.parametrize(("accuracy", "beaten"), [(0.69, True), (0.71, False)])
def test_a_bag_of_words_that_is_better_is_named(accuracy: float, beaten: bool) -> None:
    found = summarise([figures("all portable", accuracy, 100)], [], LINES, None)
    told = any("A bag of words beats every candidate" in note for note in notes(found))
    assert told == beaten


def test_a_process_that_prints_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare.sys, "executable", "/bin/echo")
    with pytest.raises(OnbrandError, match="says something else than its memory"):
        measure_memory(tmp_path)


def test_too_few_labels_are_an_error(tmp_path: Path) -> None:
    write_labels(tmp_path / "acme.jsonl", each=4)
    with pytest.raises(OnbrandError, match='add 6 or more labelled "on"'):
        read_brands(tmp_path, warn=pytest.fail)


def test_the_choices_of_layers_follow_the_depth() -> None:
    assert default_layers(6) == ["all", "0-3", "last"]
    assert default_layers(1) == ["all", "0-0", "last"]


def test_ready_bundles_are_named_by_their_folder(tmp_path: Path) -> None:
    folders = [tmp_path / "a" / "small", tmp_path / "b" / "small", tmp_path / "a" / "big"]
    again = tmp_path / "b" / ".." / "a" / "big"
    names = [candidate.name for candidate in existing_bundles([*folders, again])]
    assert names == [str(folders[0]), str(folders[1]), "big"]


class Clock:
    """Time that passes only when something takes it."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Timed:
    """Takes some seconds a text, and twice that in a round that a busy machine disturbs."""

    threads = 2

    def __init__(self, name: str, seconds: float, clock: Clock, log: list[str]) -> None:
        self.name, self.seconds, self.clock, self.log = name, seconds, clock, log

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.log.append(self.name)
        self.clock.now += self.seconds * len(texts) * (2 if len(self.log) < 20 else 1)
        return np.zeros((len(texts), 1), np.float32)


def test_encoders_are_timed_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, log = Clock(), list[str]()
    monkeypatch.setattr(compare, "time", clock)
    encoders = {name: Timed(name, s, clock, log) for name, s in (("a", 0.001), ("b", 0.004))}
    texts = [f"text {i}" for i in range(256)]
    throughputs = measure_throughput(encoders, texts)
    assert throughputs["a"].sentences_per_second == pytest.approx(1000)
    assert throughputs["b"].sentences_per_second == pytest.approx(250)
    assert (throughputs["a"].latency_ms, throughputs["b"].latency_ms) == pytest.approx((1.0, 4.0))
    assert throughputs["a"].latency_p95_ms >= throughputs["a"].latency_ms
    turns = "".join(log[2:]).replace("a" * (compare.SINGLES + 1), "A")
    assert turns.replace("b" * (compare.SINGLES + 1), "B") == "BAAB" * 4 + "BA"


def test_a_slow_encoder_gets_fewer_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, log = Clock(), list[str]()
    monkeypatch.setattr(compare, "time", clock)
    measure_throughput({"slow": Timed("slow", 10.0, clock, log)}, ["text"] * 256)
    assert clock.now < 2 * 10.0 * 16 * 3 * (compare.ROUNDS + 1)


def test_memory_is_that_of_a_process_of_its_own(tmp_path: Path) -> None:
    tiny_encoder(tmp_path / "tiny")
    memory = measure_memory(tmp_path / "tiny")
    assert memory is None or 20e6 < memory < 1e9
    with pytest.raises(OnbrandError, match="own .exit code 1: .*is not an encoder bundle"):
        measure_memory(tmp_path)


def test_the_standard_error_is_that_of_a_mean_over_brands() -> None:
    assert standard_error({"a": 0.5}, {"a": 100}) == pytest.approx(0.05)
    assert standard_error({"a": 0.5, "b": 0.5}, {"a": 100, "b": 100}) == pytest.approx(
        0.05 / 2**0.5
    )
    assert standard_error({"a": 1.0, "b": 1.0}, LINES | {"a": 5, "b": 5}) == 0


def test_advice_is_the_fastest_that_is_not_clearly_worse() -> None:
    assert report().advice == (
        "take all portable: the fastest within one standard error (1.0 points) of the best "
        "accuracy (all accurate); also on the Pareto front: 0-3 portable, all accurate"
    )
    level = [figures("a", 0.9, 97, error=0.05), figures("b", 0.88, 99), figures("c", 0.88, 50)]
    assert fastest_of_the_best(level).name == "a"
    sure = [figures("a", 0.9, 10, error=0.001), figures("b", 0.8, 99)]
    assert fastest_of_the_best(sure).name == "a"
    assert recommend(sure).startswith("take a: the most accurate, and none clearly faster")
    assert recommend(sure[:1]).endswith("nothing else is on the Pareto front")


def test_the_table_says_it_all() -> None:
    found = report()
    assert {len(row) for row in rows(found)} == {len(LONG_HEADINGS)}
    assert len(HEADINGS) <= len(LONG_HEADINGS)
    page = to_markdown(found, picture="tradeoff.svg")
    assert "| all accurate ◆ | 84.5% | 600 | 1.7 | 3.3 | 24.1 | 100 | 0.9900 | 0.9800 |" in page
    assert "| last float32 | 82.0% |" in page
    assert "Take all portable" in page
    assert "400 labelled lines of 2 brands" in page
    assert "- 9: no such layer" in page
    assert "![Accuracy against speed](tradeoff.svg)" in page


@pytest.mark.heavy("matplotlib")
def test_the_picture_names_every_candidate() -> None:
    found = report()
    svg, png = bench_report.draw(found, "svg"), bench_report.draw(found, "png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert ET.fromstring(svg).tag.endswith("svg")
    for candidate in found.candidates:
        assert f"<!-- {candidate.name}, 24 MB -->".encode() in svg
    assert svg == bench_report.draw(found, "svg")


@pytest.mark.heavy("matplotlib")
def test_a_crowd_is_named_though_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_report, "_GAPS", (4.0,))
    crowd = [figures(f"candidate {i}", 0.8, 1000 + i) for i in range(12)]
    svg = bench_report.draw(summarise(crowd, [], LINES, None), "svg")
    assert all(f"<!-- candidate {i}, 24 MB -->".encode() in svg for i in range(12))
