"""What do findings say to writers? Reads every output's messages on published drafts.

Data: a folder of drafts, one folder a brand, and a folder of tasks with ``<brand>.train.jsonl``, on
which the brands' voices are trained. In each output every finding is looked at: does it show
placeholders of code, blame punctuation, name a word twice, or name function words alone?

Usage: ``python bench/messages.py [--drafts DIR] [--tasks DIR]``; writes ``results/messages.*``.
``--print`` prints the messages, to be read.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from data import DATA, RESULTS, need
from rich.console import Console

from onbrand.config import Settings
from onbrand.document.document import parse
from onbrand.document.formats import of_path
from onbrand.document.masking import PLACEHOLDER
from onbrand.document.positions import LineIndex
from onbrand.encoder import Encoder
from onbrand.report import FORMATS, text
from onbrand.results import CheckResults, Report
from onbrand.scorer import Scorer
from onbrand.training.evaluate import TRAIN, labelled_lines
from onbrand.training.train import train_voice
from onbrand.voice.reasons import has_content
from onbrand_lsp.analysis import Analysis
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.features.diagnostics import diagnostics
from onbrand_lsp.features.hover import hover
from onbrand_lsp.rpc.capabilities import OFF_BRAND, ClientSupport
from onbrand_slack.answer import Answer
from onbrand_slack.model import Source
from onbrand_slack.render.sentence import Room, blocks

ROWS = {
    "placeholders": "show a placeholder of code",
    "punctuation": "name a bare mark",
    "repeated": "name a word twice",
    "function words": "name function words or figures alone",
    "no word": "name no word",
    "statistics": "quote P or the brand's statistics before the end",
}
_QUOTED = re.compile("“([^”]*)”")
_STATISTICS = re.compile(r"\bP <?[\d.]++(?=.*\w)|of 100 sentences|letters a word|reading grade")


class Case(NamedTuple):
    """A checked draft."""

    report: Report
    source: str
    scorer: Scorer


class Finding(NamedTuple):
    """A finding as one output shows it."""

    shown: str
    """All that the output says of it."""
    words: list[str]
    """The words that it names as reasons."""


def in_message(message: str) -> Finding:
    """Return a finding that is one message."""
    named = re.search("Above all: ((?:“[^”]*”(?:, )?)+)", message)
    return Finding(message, _QUOTED.findall(named[1]) if named else [])


def in_text(case: Case) -> Iterator[Finding]:
    """Yield the findings of ``--format text``, without the excerpts of the draft."""
    stream = io.StringIO()
    console = Console(file=stream, width=10_000, highlight=False, markup=False)
    text.render([case.report], {case.report.path: case.source}, console)
    for found in stream.getvalue().split("\n\n")[: len(case.report.flagged)]:
        lines = [line for line in found.splitlines() if not re.match(r" *\d* \|", line)]
        words = re.search(r"= words: (.*)", found)
        yield Finding("\n".join(lines), _QUOTED.findall(words[1]) if words else [])


def _rendered(case: Case, name: str) -> str:
    return FORMATS[name].render(CheckResults([case.report], {case.report.path: case.source}))


def in_json(case: Case) -> Iterator[Finding]:
    """Yield the findings of ``--format json``: the message and the words against the brand."""
    for sentence in json.loads(_rendered(case, "json"))["files"][0]["sentences"]:
        if sentence["flagged"]:
            words = [word["text"] for word in sentence["reasons"]["against"]]
            yield Finding(f"{sentence['message']} {words}", words)


def in_sarif(case: Case) -> Iterator[Finding]:
    """Yield the findings of ``--format sarif``."""
    for result in json.loads(_rendered(case, "sarif"))["runs"][0]["results"]:
        if result["ruleId"] == "onbrand/off-brand-sentence":
            yield in_message(result["message"]["text"])


def in_github(case: Case) -> Iterator[Finding]:
    """Yield the findings of ``--format github``."""
    for line in _rendered(case, "github").splitlines():
        if "title=Below the gate" not in line:
            yield in_message(line.split("::", 2)[2])


def in_junit(case: Case) -> Iterator[Finding]:
    """Yield the findings of ``--format junit``."""
    root = ElementTree.fromstring(_rendered(case, "junit"))
    for failure in root.iter("failure"):
        yield in_message(failure.attrib["message"])


def _analysis(case: Case) -> Analysis:
    report, source = case.report, case.source
    format_ = of_path(report.path)
    name = format_.name if format_ else "markdown"
    snapshot = Snapshot(f"file:///{report.path}", 1, name, source, LineIndex(source))
    document = parse(source, name)
    return Analysis(snapshot, document, Settings(), report, case.scorer, report.brand, None, "")


def in_editors(case: Case) -> Iterator[Finding]:
    """Yield the diagnostics."""
    for one in diagnostics(_analysis(case), "utf-16", ClientSupport()):
        if one.code == OFF_BRAND:
            yield in_message(one.message)


def in_hovers(case: Case) -> Iterator[Finding]:
    """Yield the hovers over flagged sentences."""
    analysis = _analysis(case)
    for sentence in case.report.flagged:
        found = hover(analysis, sentence.span.start, "utf-16", ClientSupport())
        said = found.contents.value if found else ""  # type: ignore[union-attr]
        words = re.search(r"(?m)^- Speaks against: (.*)$", said)
        yield Finding(said, _QUOTED.findall(words[1]) if words else [])


def in_slack(case: Case) -> Iterator[Finding]:
    """Yield what Slack says of flagged sentences: the words are bold in the quotation."""
    answer = Answer("", case.report, "U1", Source.COMMAND, can_label=False)
    for index, sentence in enumerate(case.report.sentences):
        if sentence.flagged:
            runs = [*_runs(blocks(answer, index, Room(5_000)))]
            bold = [run["text"] for run in runs if run.get("style", {}).get("bold")]
            yield Finding("\n".join(run["text"] for run in runs), bold)


def _runs(payload: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(payload, list):
        for part in payload:
            yield from _runs(part)
    elif isinstance(payload, dict):
        if isinstance(payload.get("text"), str):
            yield payload
        yield from _runs([*payload.values()])


FACES: dict[str, Callable[[Case], Iterator[Finding]]] = {
    "text": in_text,
    "json": in_json,
    "sarif": in_sarif,
    "github": in_github,
    "junit": in_junit,
    "editors": in_editors,
    "hover": in_hovers,
    "slack": in_slack,
}


def faults(finding: Finding) -> Iterator[str]:
    """Yield what is wrong with a finding, by key of `ROWS`."""
    words = [word.casefold().replace("’", "'").removesuffix("'s") for word in finding.words]
    if PLACEHOLDER in finding.shown:
        yield "placeholders"
    if not all(any(map(str.isalnum, word)) for word in words):
        yield "punctuation"
    if len(set(words)) < len(words):
        yield "repeated"
    if words and not any(map(has_content, words)):
        yield "function words"
    if not words:
        yield "no word"
    if _STATISTICS.search(finding.shown.split("\n\nP ")[0]):
        yield "statistics"


def cases(drafts: Path, tasks: Path, encoder: Encoder) -> Iterator[Case]:
    """Yield the checked drafts of every brand, by a voice of its training lines."""
    for folder in sorted(path for path in drafts.iterdir() if path.is_dir()):
        lines = labelled_lines(tasks / (folder.name + TRAIN), folder.name)
        voice = train_voice(folder.name, lines, encoder)
        scorer = Scorer(encoder, [voice])
        for draft in sorted(path for path in folder.iterdir() if of_path(path)):
            source = draft.read_text("utf-8")
            report = scorer.check(source, brand=voice.brand, path=draft.name)
            yield Case(report, source, scorer)


def markdown(results: dict[str, Any]) -> str:
    """Return the counts as a table, an output a row."""
    lines = [
        f"{results['drafts']} published drafts of {results['brands']} brands, "
        f"{results['findings']} findings. Of these, as each output shows them, so many",
        "",
        "| | " + " | ".join(ROWS.values()) + " |",
        "|---|" + "---:|" * len(ROWS),
    ]
    for face, counts in results["outputs"].items():
        lines.append(f"| {face} | " + " | ".join(str(counts[row]) for row in ROWS) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Count, and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--drafts", type=Path, default=DATA / "drafts")
    parser.add_argument("--tasks", type=Path, default=DATA / "brands14")
    parser.add_argument("--print", action="store_true", help="print the messages, too")
    options = parser.parse_args()
    drafts, tasks = need(options.drafts), need(options.tasks)
    counts: dict[str, Counter[str]] = {face: Counter() for face in FACES}
    results: Counter[str] = Counter()
    brands = set()
    for case in cases(drafts, tasks, Encoder.load(cache_size=30_000)):
        brands.add(case.report.brand)
        results["drafts"] += 1
        results["findings"] += len(case.report.flagged)
        for face, read in FACES.items():
            found = [*read(case)]
            if len(found) != len(case.report.flagged):
                raise AssertionError(f"{face} shows {len(found)} findings of {case.report.path}")
            for finding in found:
                counts[face].update(faults(finding))
                if options.print and face == "editors":
                    print(f"{case.report.path}: {finding.shown}")
    figures = {face: {row: count[row] for row in ROWS} for face, count in counts.items()}
    made = {**results, "brands": len(brands), "outputs": figures}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "messages.json").write_text(json.dumps(made, indent=2) + "\n", "utf-8")
    (RESULTS / "messages.md").write_text(markdown(made), "utf-8")
    print(markdown(made))


if __name__ == "__main__":
    main()
