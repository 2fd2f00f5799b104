"""Formats for reviews of changes: rdjson, gitlab, vale and markdown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from onbrand.report import FORMATS
from onbrand.report.markdown import MARKER, MAX_DRAFTS, MAX_SENTENCES
from onbrand.results import CheckResults, DiffScope, FileError
from report_samples import report, samples, sentence

ERRORS = [FileError("gone.md", "no such file;\ncheck the path"), FileError("x.md", "is bad", 3)]


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


TEXT, COUNT = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}
POSITION = _object({"line": COUNT}, column=COUNT)
# What reviewdog's Diagnostic Format says of the parts that are used.
RDJSON = _object(
    {
        "source": _object({"name": TEXT}),
        "diagnostics": {
            "type": "array",
            "items": _object(
                {
                    "message": TEXT,
                    "location": _object(
                        {"path": TEXT, "range": _object({"start": POSITION}, end=POSITION)}
                    ),
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "code": _object({"value": TEXT}),
                }
            ),
        },
    }
)
# GitLab's documentation: Code Quality report format.
GITLAB = {
    "type": "array",
    "items": _object(
        {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": _object(
                {
                    "path": {"type": "string", "pattern": "^(?!/|\\./)"},
                    "lines": _object({"begin": COUNT, "end": COUNT}),
                }
            ),
        }
    ),
}
# What Vale's plug-ins read of an alert.
VALE = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "minItems": 1,
        "items": _object(
            {
                "Action": _object({"Name": {"type": "string"}, "Params": {"type": "null"}}),
                "Span": {"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2},
                "Check": {"type": "string", "pattern": r"^onbrand\.\w+$"},
                "Description": {"type": "string"},
                "Link": {"type": "string"},
                "Message": TEXT,
                "Severity": {"enum": ["suggestion", "warning", "error"]},
                "Match": {"type": "string"},
                "Line": COUNT,
            }
        ),
    },
}
SCHEMAS = {"rdjson": RDJSON, "gitlab": GITLAB, "vale": VALE}


def rendered(form: str, **more: Any) -> str:
    return FORMATS[form].render(CheckResults(*samples(), errors=ERRORS, **more))


@pytest.mark.parametrize("form", SCHEMAS)
def test_documents_follow_their_schemas(form: str) -> None:
    Draft202012Validator(SCHEMAS[form]).validate(json.loads(rendered(form)))
    Draft202012Validator(SCHEMAS[form]).validate(
        json.loads(FORMATS[form].render(CheckResults([], {})))
    )


def test_columns_of_rdjson_count_bytes() -> None:
    reports, sources = samples()
    found = json.loads(rendered("rdjson"))["diagnostics"]
    for verdict in reports:
        lines = re.split(r"\r\n|\r|\n", sources[verdict.path])
        raw = [line.encode("utf-8", "surrogatepass") for line in lines]
        places = [
            one["location"]["range"]
            for one in found
            if one["code"]["value"] == "onbrand/off-brand-sentence"
            and one["location"]["path"] == verdict.path
        ]
        for flagged, place in zip(verdict.flagged, places, strict=True):
            start, end = place["start"], place["end"]
            covered = raw[start["line"] - 1 : end["line"]]
            covered[-1] = covered[-1][: end["column"] - 1]
            covered[0] = covered[0][start["column"] - 1 :]
            text = b" ".join(covered).decode("utf-8", "surrogatepass")
            assert " ".join(text.split()) == flagged.text


def test_fingerprints_of_gitlab_stay_when_lines_move_and_never_repeat() -> None:
    source = "Buy now!\n\nBuy now!\n"
    twice = report("a.md", *[sentence(source, "Buy now!")] * 2, verdict="forward")
    moved = replace(twice, sentences=tuple(replace(s, line=s.line + 7) for s in twice.sentences))

    def prints(*verdicts: Any) -> list[str]:
        results = CheckResults(verdicts, {one.path: source for one in verdicts})
        return [one["fingerprint"] for one in json.loads(FORMATS["gitlab"].render(results))]

    assert len(set(prints(twice, replace(twice, path="b.md")))) == 4
    assert prints(moved) == prints(twice)


def test_spans_of_vale_are_the_first_line_of_a_sentence() -> None:
    reports, sources = samples()
    alerts = json.loads(rendered("vale"))
    for verdict in reports:
        lines = re.split(r"\r\n|\r|\n", sources[verdict.path])
        for alert in alerts.get(verdict.path, []):
            first, last = alert["Span"]
            if alert["Match"]:
                shown = lines[alert["Line"] - 1][first - 1 : last].replace("\ud800", "\ufffd")
                assert shown == alert["Match"]
    assert alerts["gone.md"][0]["Severity"] == "error"
    assert alerts["x.md"][0]["Line"] == 3


# --- markdown ----------------------------------------------------------------------------------


def test_a_summary_says_what_was_not_judged_and_what_it_was_compared_with() -> None:
    made = rendered("markdown", scope=DiffScope("origin/main", "a" * 40, 5, 2))
    assert made.startswith(f"{MARKER}\n### onbrand: 7 of 9 drafts need a review, 9 sentences ")
    assert "\n2 files could not be judged:\n\n- **gone.md**: no such file; check the path\n" in made
    assert "- **x.md**, line 3: is bad" in made
    assert "Only sentences that differ from origin/main (aaaaaaaaaaaa) are listed." in made
    assert "5 drafts without such sentences not judged." in made
    empty = FORMATS["markdown"].render(CheckResults([], {}))
    assert empty == f"{MARKER}\n### onbrand: no draft to judge\n"


def test_texts_of_drafts_are_no_markup_and_call_nobody() -> None:
    source = (
        "@everyone see #12, <b>x</b> | [a](https://evil.example) `c` www.evil.example $y$ GH-3.\n"
    )
    hostile = report("a|b@c.md", sentence(source, source.strip()), brand="acme")
    made = FORMATS["markdown"].render(CheckResults([hostile], {hostile.path: source}))
    assert not re.search(r"@\w|#\d|GH-\d|https:/|www\.|(?<!\\)<(?!br>|!--)|(?<!\\)`", made)
    (row,) = [line for line in made.splitlines() if line.startswith("| **a")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_a_summary_has_a_limit() -> None:
    source = ("We leverage " + "[synergies] " * 300).strip() + ".\n"
    many = [
        report(f"{'deep/' * 60}{n}.md", *[sentence(source, source.strip())] * 30)
        for n in range(300)
    ]
    errors = [FileError(f"{'e' * 300}{n}", "is bad " * 99) for n in range(99)]
    results = CheckResults(many, {one.path: source for one in many}, errors=errors)
    made = FORMATS["markdown"].render(results)
    assert len(made) < 65_000
    assert f"| … and {300 - MAX_DRAFTS} drafts more |" in made
    assert f"- … and {300 * 30 - MAX_SENTENCES:,} sentences more" in made
    assert "- … and 79 files more" in made
