"""What a writer feels of the language server: latency while typing, start-up, memory, agreement.

Every figure is taken over the pipes of a real server process, as an editor would. It runs in any
checkout: fourteen voices are made of the four example brands'. Writes ``bench/results/lsp.json``
and ``lsp.md``. Where the benchmark data is there, drafts are typed, too (see `keystrokes`), which
writes ``lsp_typing.*``. Usage: ``python bench/lsp.py [--help]``
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import keystrokes
import msgspec
from data import DATA, RESULTS, need
from language_client import LanguageClient
from writing import BRAND, Editor, markdown

from onbrand.files import write_atomic
from onbrand.labels.files import group_by_brand, read_labels
from onbrand.training.train import train_voices
from onbrand.voice.storage import save_voice
from onbrand_cli.demo import brand_files

BRANDS = 14
SEED = 20261122
AT_ONCE = {"debounce": 0, "typingPause": 0}
"""Settings with which every keystroke is answered."""
MS = 1000.0


@dataclass(frozen=True, slots=True)
class Row:
    """One figure with the bar that it must not pass; several measurements, or one."""

    what: str
    unit: str
    bar: float
    bar_is_of: str
    """Which of the figures the bar is for: "p95", "median" or "value"."""
    median: float
    p95: float
    count: int

    @classmethod
    def of(cls, what: str, unit: str, bar: float, values: Sequence[float], of: str = "p95") -> Row:
        """Sum up measurements."""
        ordered = sorted(values)
        p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        return cls(what, unit, bar, of, statistics.median(ordered), p95, len(ordered))

    @property
    def value(self) -> float:
        """The figure that the bar is for."""
        return self.p95 if self.bar_is_of == "p95" else self.median

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.value <= self.bar


def make_project(folder: Path) -> None:
    """Write a project with fourteen voices: the example brands' under other names."""
    voices = train_voices(group_by_brand(read_labels(brand_files())), folder / "trained")
    for number in range(BRANDS):
        voice = voices[number % len(voices)]
        manifest = msgspec.structs.replace(voice.manifest, brand=f"{voice.brand}-{number}")
        renamed = dataclasses.replace(voice, manifest=manifest)
        save_voice(renamed, folder / "voices" / manifest.brand)
    (folder / "onbrand.toml").write_text(f'root = true\nvoices = ["voices"]\nbrand = "{BRAND}-0"\n')


def typing(folder: Path, words: int, edits: int, *, pulls: bool) -> list[float]:
    """Return milliseconds from each keystroke to its diagnostics, without the debounce."""
    rng = random.Random(SEED + words)
    client = LanguageClient(folder, AT_ONCE, pulls=pulls)
    editor, uri = Editor(markdown(words, rng), rng), (folder / f"{words}.md").as_uri()
    client.open(uri, editor.text)
    client.pull(uri) if pulls else client.pushed(uri, 1)
    times = []
    for _ in range(edits):
        changes = editor.type_something()
        started = time.perf_counter()
        client.change(uri, editor.version, changes)
        client.pull(uri) if pulls else client.pushed(uri, editor.version)
        times.append((time.perf_counter() - started) * MS)
    client.stop()
    return times


def hovering(folder: Path, words: int, least: int) -> list[float]:
    """Return milliseconds that hovers take while whole new documents are being checked."""
    rng = random.Random(SEED)
    client = LanguageClient(folder, {"debounce": 0})
    warm = (folder / "warm.md").as_uri()
    client.open(warm, markdown(200, rng))
    client.pull(warm)
    times: list[float] = []
    for number in range(100):
        text, uri = markdown(words, rng), (folder / f"full-{number}.md").as_uri()
        client.open(uri, text)
        check = client.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        lines = text.count("\n")
        while not client.is_answered(check):
            where = {"line": rng.randrange(lines), "character": rng.randrange(40)}
            started = time.perf_counter()
            client.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": where})
            times.append((time.perf_counter() - started) * MS)
            time.sleep(0.02)
        client.close(uri)
        if len(times) >= least:
            break
    client.stop()
    return times


def starting(folder: Path, runs: int) -> tuple[list[float], list[float]]:
    """Return seconds from process start to ``initialize`` and to the first diagnostics."""
    answered, diagnosed = [], []
    text, uri = markdown(1000, random.Random(SEED)), (folder / "first.md").as_uri()
    for _ in range(runs + 1):
        client = LanguageClient(folder, {})
        client.open(uri, text)
        client.pull(uri)
        diagnosed.append(time.perf_counter() - client.started)
        answered.append((client.initialized - client.started) * MS)
        client.stop()
    return answered[1:], diagnosed[1:]


def an_hour(folder: Path, keystrokes: int) -> tuple[float, float]:
    """Return the largest resident memory over an hour's keystrokes, and its growth in MB.

    The growth is that of the medians of the third and the last quarter.
    """
    rng = random.Random(SEED)
    client = LanguageClient(folder, AT_ONCE)
    editor, uri = Editor(markdown(3000, rng), rng), (folder / "hour.md").as_uri()
    client.open(uri, editor.text)
    memory = []
    for stroke, changes in enumerate(islice(editor.write(), keystrokes)):
        client.change(uri, editor.version, changes)
        client.pull(uri)
        if stroke % 20 == 0:
            memory.append(client.resident())
    client.stop()
    quarter = len(memory) // 4
    third, last = memory[2 * quarter : 3 * quarter], memory[3 * quarter :]
    return max(memory), statistics.median(last) - statistics.median(third)


def disagreements(folder: Path, sequences: int) -> int:
    """Return after how many random edit sequences the server differs from a fresh check.

    A report's id is a hash of the text and what judges it, so equal ids are equal texts. Each
    sequence ends with saving: until then, what is new may wait for the writer to pause.
    """
    rng = random.Random(SEED)
    client = LanguageClient(folder, {"debounce": 0, "typingPause": 10_000})
    wrong = 0
    for number, editor in enumerate(_editors(rng, sequences)):
        uri, fresh = (folder / "edited.md").as_uri(), (folder / "fresh.md").as_uri()
        if editor.version == 1:
            if number:
                client.close(uri)
            client.open(uri, editor.text)
        for _ in range(rng.randint(1, 4)):
            changes = editor.do_anything()
            client.change(uri, editor.version, changes)
        client.pull(uri)
        client.save(uri)
        client.open(fresh, editor.text)
        edited, again = client.pull(uri), client.pull(fresh)
        client.close(fresh)
        if edited != again:
            wrong += 1
            print(f"sequence {number} differs: {edited['resultId']} {again['resultId']}")
    client.stop()
    return wrong


def _editors(rng: random.Random, sequences: int) -> Iterator[Editor]:
    """Yield an editor per sequence, a new document every twenty."""
    editor = Editor("", rng)
    for number in range(sequences):
        if number % 20 == 0:
            editor = Editor(markdown(60, rng).replace("\n", rng.choice(("\n", "\r\n"))), rng)
        yield editor


def measure(folder: Path, edits: int, sequences: int, keystrokes: int, runs: int) -> list[Row]:
    """Run everything."""
    answered, diagnosed = starting(folder, runs)
    rows = [
        Row.of("process start to `initialize`", "ms", 500, answered, "median"),
        Row.of("process start to first diagnostics, 1,000 words", "s", 1.2, diagnosed, "median"),
    ]
    for words, bar in ((3000, 40), (30000, 150)):
        for pulls in (True, False):
            how = "pulled" if pulls else "pushed"
            name = f"keystroke to diagnostics, {words:,} words, {how}"
            rows.append(Row.of(name, "ms", bar, typing(folder, words, edits, pulls=pulls)))
    hovers = hovering(folder, 30000, edits)
    rows.append(Row.of("hover during a full check of 30,000 words", "ms", 30, hovers))
    largest, growth = an_hour(folder, keystrokes)
    rows += [
        Row.of(f"resident memory over {keystrokes:,} keystrokes", "MB", 220, [largest], "median"),
        Row.of("its growth over the last half", "MB", 1, [growth], "median"),
        Row.of(
            f"disagreements after {sequences:,} random edit sequences",
            "",
            0,
            [disagreements(folder, sequences)],
            "median",
        ),
    ]
    return rows


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=300)
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--keystrokes", type=int, default=18_000, help="five a second for an hour")
    parser.add_argument("--runs", type=int, default=9, help="starts of the server")
    parser.add_argument("--only", choices=["server", "typing"], help="leave the other part out")
    parser.add_argument("--data", type=Path, default=DATA, help="drafts to type")
    parser.add_argument("--keys", type=int, default=1000, help="keys of each draft")
    chosen = parser.parse_args()
    if chosen.only != "typing":
        serve(chosen)
    if chosen.only != "server":
        keystrokes.measure(need(chosen.data), chosen.keys)


def serve(chosen: argparse.Namespace) -> None:
    """Measure a server process, print and write the table."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_project(folder)
        rows = measure(folder, chosen.edits, chosen.sequences, chosen.keystrokes, chosen.runs)
    write(rows)


def write(rows: list[Row]) -> None:
    """Write the table as JSON and Markdown, and print it."""
    lines = ["| what | median | p95 | bar | n |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        of = " (p95)" if row.bar_is_of == "p95" else ""
        met = "" if row.met else " **not met**"
        digits = 2 if row.unit == "s" else 1
        lines.append(
            f"| {row.what} | {row.median:.{digits}f} {row.unit} | {row.p95:.{digits}f} {row.unit} "
            f"| {row.bar:g} {row.unit}{of}{met} | {row.count} |"
        )
    print("\n".join(lines))
    encoded = json.dumps([msgspec.to_builtins(row) for row in rows], indent=2)
    write_atomic(RESULTS / "lsp.json", encoded + "\n")
    intro = (
        "# What a writer feels of the language server\n\nMade by `python bench/lsp.py`, "
        "fourteen voices loaded, the debounce left out.\n\n"
    )
    write_atomic(RESULTS / "lsp.md", intro + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
