"""``--format sarif``: SARIF 2.1.0 for code scanning and editors' SARIF viewers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from onbrand import __version__
from onbrand.baseline import fingerprint
from onbrand.report.message import draft_message, printable, sentence_message, severity
from onbrand.report.snippet import Region, flagged_regions
from onbrand.repository import repository_path
from onbrand.results import FileError, Report, SentenceVerdict

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_RULES = [
    {
        "id": "onbrand/off-brand-sentence",
        "name": "OffBrandSentence",
        "shortDescription": {"text": "A sentence does not sound like the brand."},
        "fullDescription": {
            "text": "The calibrated probability that the sentence is on-brand is below the "
            "threshold of the brand's voice."
        },
        "help": {
            "text": "Rewrite the sentence; the words named speak most against the brand. If it is "
            "fine as it is, put <!-- onbrand-disable-next-line --> above it, or record it with "
            "`onbrand check --update-baseline`."
        },
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["brand voice", "style"]},
    },
    {
        "id": "onbrand/draft-below-gate",
        "name": "DraftBelowGate",
        "shortDescription": {"text": "A draft needs a human review."},
        "fullDescription": {
            "text": "The calibrated probability that the draft as a whole is on-brand is below "
            "the gate."
        },
        "help": {"text": "Rewrite the sentences that sound off-brand, or have the draft reviewed."},
        "defaultConfiguration": {"level": "note"},
        "properties": {"tags": ["brand voice", "style"]},
    },
]


def render(
    reports: Sequence[Report], sources: Mapping[str, str], errors: Sequence[FileError] = ()
) -> str:
    """Return one SARIF log with one run.

    Args:
        reports: the verdicts.
        sources: the checked text by the report's path.
        errors: the drafts that could not be judged.
    """
    results: list[dict[str, Any]] = []
    for number, report in enumerate(reports):
        results += _results(report, sources[report.path], number)
    run = {
        "tool": {"driver": {"name": "onbrand", "version": __version__, "rules": _RULES}},
        "columnKind": "unicodeCodePoints",
        "defaultEncoding": "utf-8",
        "artifacts": [{"location": _artifact(report.path)} for report in reports],
        "invocations": [
            {
                "executionSuccessful": not errors,
                "toolExecutionNotifications": [
                    *(
                        _notification(report.path, warning)
                        for report in reports
                        for warning in report.warnings
                    ),
                    *(
                        _notification(error.path, error.message, "error", error.line)
                        for error in errors
                    ),
                ],
            }
        ],
        "results": results,
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return printable(json.dumps(log, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def _results(report: Report, source: str, artifact: int) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    results = []
    for sentence, region in flagged_regions(report, source):
        key = fingerprint(sentence)
        seen[key] += 1
        results.append(
            {
                "ruleId": _RULES[0]["id"],
                "ruleIndex": 0,
                "level": severity(sentence),
                "message": {"text": sentence_message(sentence)},
                "locations": [_location(report.path, artifact, _region(sentence, region))],
                # GitHub's own hash is of the line, and would merge all findings of a paragraph.
                "partialFingerprints": {"primaryLocationLineHash": f"{key}:{seen[key]}"},
                "properties": {
                    "brand": sentence.brand,
                    "probability": sentence.probability,
                    "threshold": sentence.threshold,
                    "mend": sentence.to_mend,
                },
            }
        )
    if report.verdict == "review":
        results.append(
            {
                "ruleId": _RULES[1]["id"],
                "ruleIndex": 1,
                "level": "note",
                "message": {"text": draft_message(report)},
                "locations": [_location(report.path, artifact, {"startLine": 1})],
                "partialFingerprints": {"primaryLocationLineHash": f"draft:{report.brand}"},
                "properties": {
                    "brand": report.brand,
                    "probability": report.probability,
                    "gate": report.gate,
                },
            }
        )
    return results


def _location(path: str, artifact: int, region: Mapping[str, int]) -> dict[str, Any]:
    location = {**_artifact(path), "index": artifact}
    return {"physicalLocation": {"artifactLocation": location, "region": region}}


def _region(sentence: SentenceVerdict, region: Region) -> dict[str, int]:
    return {
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
        "charOffset": sentence.span.start,
        "charLength": sentence.span.end - sentence.span.start,
    }


def _artifact(path: str) -> dict[str, str]:
    place = printable(repository_path(path))
    if Path(place).is_absolute():
        return {"uri": Path(place).as_uri()}
    return {"uri": quote(place), "uriBaseId": "%SRCROOT%"}


def _notification(
    path: str, message: str, level: str = "note", line: int | None = None
) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(path)}
    if line is not None:
        place["region"] = {"startLine": line}
    locations = [{"physicalLocation": place}]
    return {"level": level, "message": {"text": message}, "locations": locations}
