from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from onbrand.report.sarif import render
from report_samples import report, samples, sentence

SCHEMA = Path(__file__).parent.parent / "data" / "sarif" / "sarif-schema-2.1.0.json"


@cache
def validator() -> Draft7Validator:
    return Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def results(*arguments: Any) -> list[dict[str, Any]]:
    log = json.loads(render(*arguments))
    validator().validate(log)
    (run,) = log["runs"]
    return run["results"]


def test_the_samples_are_valid() -> None:
    reports, sources = samples()
    made = results(reports, sources)
    assert len(made) == sum(len(r.flagged) + (r.verdict == "review") for r in reports)


def test_the_validator_can_fail() -> None:
    log = json.loads(render([], {}))
    log["runs"][0]["columnKind"] = "codePoints"
    assert not validator().is_valid(log)


def test_no_files_is_a_valid_log() -> None:
    assert results([], {}) == []


def test_a_region_covers_the_sentence_over_lines() -> None:
    source = "🎉 One.\r\nWe leverage\r\nsynergies. Two.\r\n"
    part = "We leverage\r\nsynergies."
    (found, _) = results([report("a.md", sentence(source, part))], {"a.md": source})
    assert found["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 2,
        "startColumn": 1,
        "endLine": 3,
        "endColumn": 11,
        "charOffset": 8,
        "charLength": 23,
    }


def hashes(source: str, *parts: str) -> list[str]:
    made = results([report("a.md", *(sentence(source, p) for p in parts))], {"a.md": source})
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in made[:-1]]


def test_fingerprints_stay_when_other_text_changes() -> None:
    before = hashes("We leverage. We empower.", "We leverage.", "We empower.")
    after = hashes("New.\n\nWe\n  empower. Old. We leverage.", "We\n  empower.", "We leverage.")
    assert before == after[::-1]
    assert len(set(before)) == 2


def test_equal_sentences_have_their_own_fingerprints() -> None:
    assert len(set(hashes("We leverage.", "We leverage.", "We leverage."))) == 2


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("docs/a b.md", {"uri": "docs/a%20b.md", "uriBaseId": "%SRCROOT%"}),
        ("./ü#?.md", {"uri": "%C3%BC%23%3F.md", "uriBaseId": "%SRCROOT%"}),
        ("c:x.md", {"uri": "c%3Ax.md", "uriBaseId": "%SRCROOT%"}),
        ("/srv/a b.md", {"uri": "file:///srv/a%20b.md"}),
        (str(Path.cwd() / "docs" / "a.md"), {"uri": "docs/a.md", "uriBaseId": "%SRCROOT%"}),
    ],
)
def test_paths_are_percent_encoded(path: str, location: dict[str, str]) -> None:
    (run,) = json.loads(render([report(path)], {path: ""}))["runs"]
    assert run["artifacts"] == [{"location": location}]


def test_warnings_become_notifications() -> None:
    (run,) = json.loads(render([report("a.md", warnings=("Too long.",))], {"a.md": ""}))["runs"]
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "Too long."
