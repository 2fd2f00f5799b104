"""``onbrand check --format``: every document is valid, and written whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_runner import DRAFTS, OATFOLK_DRAFT, run, tree
from jsonschema import Draft7Validator, Draft202012Validator
from junitparser import JUnitXml

from onbrand.report import FORMATS

SARIF_SCHEMA = Path(__file__).parent.parent / "data" / "sarif" / "sarif-schema-2.1.0.json"
NUMBER_0_1 = {"type": "number", "minimum": 0, "maximum": 1}
MAYBE_P = {"anyOf": [NUMBER_0_1, {"type": "null"}]}
OFFSET = {"type": "integer", "minimum": 0}


def _object(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


WORD = _object(start=OFFSET, end=OFFSET, text={"type": "string"}, share={"type": "number"})
SENTENCE = {
    "type": "object",
    "required": ["start", "end", "line", "column", "text", "probability", "flagged", "words"],
    "properties": {
        "start": OFFSET,
        "end": OFFSET,
        "line": {"type": "integer", "minimum": 1},
        "column": {"type": "integer", "minimum": 1},
        "text": {"type": "string", "minLength": 1},
        "brand": {"type": "string"},
        "probability": MAYBE_P,
        "threshold": NUMBER_0_1,
        "flagged": {"type": "boolean"},
        "foreign": MAYBE_P,
        "not_judged": {"type": ["string", "null"]},
        "truncated": {"type": "boolean"},
        "message": {"type": ["string", "null"]},
        "words": {"type": "array", "items": WORD},
    },
    # What was flagged is explained.
    "if": {"properties": {"flagged": {"const": True}}},
    "then": {
        "required": ["logit", "base", "habits", "nearest_on"],
        "properties": {
            "probability": NUMBER_0_1,
            "words": {"minItems": 1},
            "message": {"type": "string"},
        },
    },
}
FILE = _object(
    path={"type": "string"},
    brand={"type": "string"},
    probability=MAYBE_P,
    verdict={"enum": ["forward", "review", "not judged"]},
    gate=NUMBER_0_1,
    message={"type": "string"},
    flagged=OFFSET,
    mend={"type": "array", "items": OFFSET, "uniqueItems": True},
    sentences={"type": "array", "items": SENTENCE},
    warnings={"type": "array", "items": {"type": "string"}},
    skipped={"type": "object", "additionalProperties": OFFSET},
)
ERROR = _object(
    path={"type": "string"},
    message={"type": "string"},
    line={"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
)
DIFF = _object(
    base={"type": "string"},
    commit={"type": "string", "pattern": "^[0-9a-f]{40,}$"},
    unchanged=OFFSET,
    elsewhere=OFFSET,
)
REPORT = _object(
    version={"const": 1},
    files={"type": "array", "items": FILE},
    left_out={"type": "object", "additionalProperties": OFFSET},
    no_drafts=OFFSET,
    skipped={"type": "object", "additionalProperties": OFFSET},
    errors={"type": "array", "items": ERROR},
    diff={"anyOf": [DIFF, {"type": "null"}]},
)


def test_json_follows_its_schema(example_voices: Path) -> None:
    done = run("check", DRAFTS, "--voices", example_voices, "--format", "json")
    assert (done.code, done.err) == (0, "")
    Draft202012Validator(REPORT).validate(done.json())
    assert any(s["flagged"] for file in done.json()["files"] for s in file["sentences"])


def test_sarif_is_valid(example_voices: Path) -> None:
    done = run("check", DRAFTS, "--voices", example_voices, "--format", "sarif")
    assert done.code == 0
    Draft7Validator(json.loads(SARIF_SCHEMA.read_text(encoding="utf-8"))).validate(done.json())
    results = done.json()["runs"][0]["results"]
    texts = [r["locations"][0]["physicalLocation"]["region"].get("snippet", {}) for r in results]
    assert len(texts) >= 15


def test_junit_loads(example_voices: Path, tmp_path: Path) -> None:
    target = tmp_path / "reports" / "onbrand.xml"
    done = run("check", DRAFTS, "--voices", example_voices, "--format", "junit", "-o", target)
    assert (done.code, done.out, done.err) == (0, "", "")
    suites = list(JUnitXml.fromfile(str(target)))
    assert [Path(suite.name).name for suite in suites] == sorted(
        file.name for file in DRAFTS.iterdir()
    )
    assert all(suite.failures >= 5 and suite.errors == 0 for suite in suites)


def test_github_commands(example_voices: Path) -> None:
    done = run("check", OATFOLK_DRAFT, "--voices", example_voices, "--format", "github")
    assert done.code == 0
    pattern = r"::(warning|notice) file=[^,:]+,line=\d+,[a-zA-Z0-9=,]+,title=[^:]+::[^\n]+"
    assert [line for line in done.out.splitlines() if not re.fullmatch(pattern, line)] == []
    assert len(done.out.splitlines()) >= 5


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_to_judge_is_no_error(example_voices: Path, tmp_path: Path, form: str) -> None:
    draft = tmp_path / "empty.md"
    draft.write_bytes(b"")
    done = run("check", draft, "--voices", example_voices, "-b", "oatfolk", "--format", form)
    assert (done.code, done.err) == (0, "")
    if form == "text":
        assert done.out == f"{draft}: Not judged: no sentence to judge.\n"
    if form == "json":
        assert done.json()["files"][0]["verdict"] == "not judged"


def test_output_is_replaced_whole(workplace: Path) -> None:
    target = workplace / "out.json"
    target.chmod(0o600)
    (workplace / "link.json").symlink_to(target)
    before = set(tree(workplace))
    done = run("check", "good.md", "-b", "oatfolk", "--format", "json", "-o", "link.json")
    assert (done.code, done.out) == (1, "")
    assert json.loads(target.read_text())["version"] == 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert (workplace / "link.json").is_symlink()
    assert set(tree(workplace)) == before


def test_text_written_to_a_file_has_no_colours(workplace: Path) -> None:
    command = ["check", "good.md", "-b", "oatfolk"]
    colours = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    run(*command, "-o", "out.txt", env=colours)
    assert "\x1b" not in (workplace / "out.txt").read_text(encoding="utf-8")
    assert "\x1b[31m" in run(*command, env=colours).out.replace("1;31", "31")
    plain = run(*command, env={**colours, "NO_COLOR": "1"}).out
    assert not re.search(r"\x1b\[[\d;]*3[0-7]m", plain)
