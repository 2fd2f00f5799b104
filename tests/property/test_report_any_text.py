from __future__ import annotations

import io
import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from junitparser import JUnitXml
from rich.console import Console

from onbrand.document.positions import LineIndex, Span
from onbrand.report import FORMATS
from onbrand.report.message import draft_message, sentence_message
from onbrand.report.text import render as print_text
from onbrand.results import (
    CheckResults,
    Example,
    Explanation,
    Habit,
    Report,
    SentenceVerdict,
    Verdict,
    WordShare,
)

DATA = Path(__file__).parent.parent / "data"

# Every code point, lone surrogates and controls too, and often those that formats trip over.
CHARACTERS = st.one_of(
    st.sampled_from(
        "\r\n\t\0\x1b\x7f\x85\u2028\u202e\ufeff\uffff\ud800\udfff,:%&<>]'\"\\ 🎉é👩\u200d"
    ),
    st.characters(exclude_categories=()),
)
TEXT = st.text(CHARACTERS, max_size=40)
PROBABILITY = st.floats(0, 1)


@st.composite
def spans(draw: st.DrawFn, source: str) -> list[Span]:
    """Sorted, disjoint stretches of the source that hold more than white space."""
    cuts = sorted(draw(st.sets(st.integers(0, len(source)), max_size=6)))
    made = [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    return [span for span in made if span.slice(source).strip()]


@st.composite
def explanations(draw: st.DrawFn, source: str, span: Span) -> Explanation:
    cuts = sorted(draw(st.lists(st.integers(*span), max_size=4)))
    words = [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    example = st.builds(Example, TEXT, st.floats(-1, 1), st.sampled_from(["on", "off"]), TEXT)
    return Explanation(
        -1.0,
        0.5,
        tuple(WordShare(w, w.slice(source), draw(st.floats(-3, 3))) for w in words),
        tuple(draw(st.lists(st.builds(Habit, TEXT, TEXT, st.just(1.0), st.just((0.0, 1.0)))))),
        draw(st.none() | example),
    )


@st.composite
def reports(draw: st.DrawFn) -> tuple[list[Report], dict[str, str]]:
    sources = draw(st.dictionaries(TEXT, TEXT, max_size=2))
    return [_report(draw, path, source) for path, source in sources.items()], sources


def _report(draw: st.DrawFn, path: str, source: str) -> Report:
    index = LineIndex(source)
    sentences = []
    for span in draw(spans(source)):
        line, column = index.position(span.start)
        probability = draw(st.none() | PROBABILITY)
        sentences.append(
            SentenceVerdict(
                span,
                line + 1,
                column + 1,
                " ".join(span.slice(source).split()),
                draw(TEXT),
                probability,
                flagged=probability is not None and draw(st.booleans()),
                threshold=0.3,
                not_judged=draw(TEXT) if probability is None else None,
                explanation=draw(st.none() | explanations(source, span)),
            )
        )
    verdict: Verdict = draw(st.sampled_from(["forward", "review", "not judged"]))
    probability = None if verdict == "not judged" else draw(PROBABILITY)
    warnings = tuple(draw(st.lists(TEXT, max_size=1)))
    return Report(path, draw(TEXT), probability, verdict, 0.7, tuple(sentences), warnings)


def scrubbed(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


@given(reports())
def test_json(made: tuple[list[Report], dict[str, str]]) -> None:
    verdicts, sources = made
    files = json.loads(FORMATS["json"].render(CheckResults(verdicts, sources)).encode())["files"]
    assert [file["path"] for file in files] == [scrubbed(report.path) for report in verdicts]
    for file, report in zip(files, verdicts, strict=True):
        assert file["flagged"] == sum(sentence["flagged"] for sentence in file["sentences"])
        for shown, sentence in zip(file["sentences"], report.sentences, strict=True):
            assert (shown["start"], shown["end"]) == sentence.span
            assert shown["text"] == scrubbed(sentence.text)


@cache
def sarif_schema() -> Draft7Validator:
    schema = (DATA / "sarif" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8")
    return Draft7Validator(json.loads(schema))


@given(reports())
@settings(max_examples=50)  # validation takes a while
def test_sarif(made: tuple[list[Report], dict[str, str]]) -> None:
    verdicts, sources = made
    log = json.loads(FORMATS["sarif"].render(CheckResults(verdicts, sources)).encode())
    sarif_schema().validate(log)
    (run,) = log["runs"]
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        report = verdicts[place["artifactLocation"]["index"]]
        assert re.fullmatch(r"[A-Za-z0-9._~/%:-]*", place["artifactLocation"]["uri"])
        region = place["region"]
        if "charOffset" not in region:
            continue
        index = LineIndex(sources[report.path])
        span = Span(region["charOffset"], region["charOffset"] + region["charLength"])
        assert span in [sentence.span for sentence in report.flagged]
        assert index.position(span.start) == (region["startLine"] - 1, region["startColumn"] - 1)
        assert index.position(span.end) == (region["endLine"] - 1, region["endColumn"] - 1)


@given(reports())
def test_github(made: tuple[list[Report], dict[str, str]]) -> None:
    verdicts, sources = made
    output = FORMATS["github"].render(CheckResults(verdicts, sources)).encode().decode()
    messages = []
    for report in verdicts:
        messages += [sentence_message(sentence) for sentence in report.flagged]
        messages += [draft_message(report)] * (report.verdict == "review")
    # The runner splits lines as .NET does, which is at \r, \n and \r\n.
    lines = re.split(r"\r\n|\r|\n", output)[:-1]
    assert len(lines) == len(messages)
    assert not re.search("[\0-\x08\x0e-\x1f\x7f-\x9f]", "".join(messages))
    for line, message in zip(lines, messages, strict=True):
        _, head, body = line.split("::", 2)
        fields = dict(field.split("=", 1) for field in head.split(" ", 1)[1].split(","))
        assert {"file", "line", "title"} <= set(fields)
        assert unquote(body) == unquote(message.replace("%", "%25"))


@given(reports())
def test_junit(made: tuple[list[Report], dict[str, str]]) -> None:
    verdicts, sources = made
    suites = JUnitXml.fromstring(FORMATS["junit"].render(CheckResults(verdicts, sources)).encode())
    for suite, report in zip(suites, verdicts, strict=True):
        assert len(list(suite)) == suite.tests == len(report.flagged) + 1
        assert suite.failures == len(report.flagged)


@given(reports(), st.integers(1, 100))
def test_text(made: tuple[list[Report], dict[str, str]], width: int) -> None:
    verdicts, sources = made
    stream = io.StringIO()
    print_text(verdicts, sources, Console(file=stream, width=width))
    output = stream.getvalue()
    assert output.encode()
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e]", output)
    assert not re.search(r"[ \t]$", output, re.MULTILINE)
