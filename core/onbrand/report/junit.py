"""``--format junit``: JUnit XML as Jenkins, GitLab and others read it.

There is one suite per draft. Its first test case is the draft itself, with the verdict; each
flagged sentence is a failed case, since viewers show one failure per case. A draft below its gate
is not a failure by itself: the findings of a check are sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from textwrap import shorten
from xml.etree import ElementTree

from onbrand.report.message import draft_message, format_probability, sentence_message
from onbrand.repository import repository_path
from onbrand.results import FileError, Report, SentenceVerdict

# Characters that XML 1.0 (section 2.2) does not allow, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(reports: Sequence[Report], errors: Sequence[FileError] = ()) -> str:
    """Return one XML document with a test suite for each report, and each draft not judged."""
    suites = [*map(_suite, reports), *map(_error, errors)]
    root = _element("testsuites", name="onbrand")
    for total in ("errors", "tests", "failures"):
        root.set(total, str(sum(int(suite.attrib[total]) for suite in suites)))
    root.extend(suites)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _suite(report: Report) -> ElementTree.Element:
    path = repository_path(report.path)
    flagged = report.flagged
    suite = _element(
        "testsuite",
        name=path,
        tests=len(flagged) + 1,
        failures=len(flagged),
        errors=0,
        skipped=int(report.verdict == "not judged"),
    )
    draft = _element("testcase", classname=path, name=f"draft ({report.brand})")
    if report.verdict == "not judged":
        draft.append(_element("skipped", message=draft_message(report)))
    lines = [draft_message(report), *report.warnings]
    draft.append(_element("system-out", text="\n".join(lines)))
    suite.append(draft)
    seen: Counter[str] = Counter()
    for sentence in flagged:
        name = shorten(sentence.text, 80, placeholder="…") or "…"
        seen[name] += 1
        if seen[name] > 1:  # viewers identify cases by their names
            name += f" ({seen[name]})"
        case = _element("testcase", classname=path, name=name)
        case.append(_failure(path, sentence))
        suite.append(case)
    return suite


def _error(error: FileError) -> ElementTree.Element:
    path = repository_path(error.path)
    suite = _element("testsuite", name=path, tests=1, failures=0, errors=1, skipped=0)
    case = _element("testcase", classname=path, name="draft")
    case.append(_element("error", type="not-judged", message=error.message, text=str(error)))
    suite.append(case)
    return suite


def _failure(path: str, sentence: SentenceVerdict) -> ElementTree.Element:
    p = format_probability(sentence.probability or 0.0, sentence.threshold)
    return _element(
        "failure",
        text=f"{path}:{sentence.line}:{sentence.column}\n{sentence.text}\nP {p}",
        type="off-brand-sentence",
        message=sentence_message(sentence),
    )


def _element(tag: str, *, text: str | None = None, **attributes: str | int) -> ElementTree.Element:
    element = ElementTree.Element(tag, {key: _xml(str(v)) for key, v in attributes.items()})
    element.text = None if text is None else _xml(text)
    return element


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
