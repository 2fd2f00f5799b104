"""Bad input: one line that names the file and the fix, exit code 2, and nothing touched."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from bad_input import (
    CHECK,
    CHECK_GOOD,
    OFF,
    TRAIN,
    Case,
    check_refusal,
    jsonl,
    labelled,
    nothing,
    refuse_reading,
    write,
)
from cli_runner import error_of, run

DRAFTS = [
    Case("missing", nothing, CHECK, r"draft\.md: no such file; check the path"),
    Case("unreadable", refuse_reading, CHECK, r"draft\.md: cannot be read \(.+\); check .+"),
    Case(
        "binary", write("draft.md", bytes(range(256)) * 8), CHECK, r"draft\.md: .*binary.*UTF-8.*"
    ),
    Case(
        "damaged UTF-8",
        write("draft.md", "Fine line.\nCafé ".encode() + b"\xe9\n"),
        CHECK,
        r"draft\.md:2: is not UTF-8 \(byte 0xe9 at offset 17\); save it as UTF-8",
    ),
    Case(
        "pointer of Git LFS",
        write("draft.md", b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n"),
        CHECK,
        r"draft\.md: is a pointer of Git LFS, not the text itself; run git lfs pull",
    ),
    Case(
        "lone surrogate",
        write("draft.md", b"Fine line.\n\nHalf \xed\xa0\xbd a pair.\n"),
        CHECK,
        r"draft\.md:3: is not UTF-8 \(byte 0xed .*\); save it as UTF-8",
    ),
    Case(
        "20 MB",
        write("draft.md", b"We love oats.\n" * 1_500_000),
        CHECK,
        r"draft\.md: is longer than 4 MB, the limit; split or exclude it",
    ),
    Case(
        "unknown brand",
        nothing,
        "check good.md -b oatflok -o out.json",
        r"no voice for brand 'oatflok'; did you mean 'oatfolk'\? \(known: acme, oatfolk, .*\)",
    ),
    Case(
        "unknown brand in the front matter",
        write("draft.md", "---\nbrand: Quilpot\n---\nA line of text.\n"),
        "check draft.md -o out.json",
        r"draft\.md: no voice for brand 'Quilpot'; did you mean 'quillpot'\? \(known: .*\)",
    ),
    Case(
        "unknown brand in a comment",
        write(
            "draft.md",
            "---\nbrand: oatfolk\n---\nSome text.\n\n<!-- onbrand brand=acne -->\n\nMore text.\n",
        ),
        "check draft.md -o out.json",
        r"draft\.md:8: no voice for brand 'acne'; did you mean 'acme'\? \(known: .*\)",
    ),
    Case("gate of a missing draft", nothing, "gate no.md -b oatfolk", r"no\.md: no such file; .*"),
    Case(
        "output in a file's place",
        nothing,
        "check good.md -b oatfolk --format json -o good.md/out.json",
        r"good\.md/out\.json: cannot be written \(.+\); nothing was changed, name another place",
    ),
]
CONFIGURATION = [
    Case(
        "bad glob",
        write("onbrand.toml", 'root = true\n[[paths]]\nglob = "a[z-b]/**"\nbrand = "acme"\n'),
        CHECK_GOOD,
        r".*onbrand\.toml:3: \"glob\": \"a\[z-b\]/\*\*\" can match nothing; write a glob as .*",
    ),
    Case(
        "unknown key",
        write("onbrand.toml", 'root = true\n\nbrnad = "acme"\n'),
        CHECK_GOOD,
        r".*onbrand\.toml:3: .*brnad.*brand.*",
    ),
    Case("broken TOML", write("onbrand.toml", "root = \n"), CHECK_GOOD, r".*onbrand\.toml:1: .*"),
    Case(
        "no such configuration", nothing, f"{CHECK_GOOD} --config no.toml", r".*no\.toml: no such.*"
    ),
    Case(
        "no voices", nothing, f"{CHECK_GOOD} --voices no", r"no: no such folder of voices; train .*"
    ),
]
LABELS = [
    Case(
        "no labels",
        nothing,
        "train",
        r"nothing to train from; name label files, --published or --labels-db",
    ),
    Case(
        "no published copy",
        write("page.md", "# Pumps\n\nHello there.\n"),
        "train --published page.md --brand acme",
        r"page\.md: no line of published copy; on pages, sentences of 6 words and more count, .*",
    ),
    Case("missing labels", nothing, TRAIN, r"labels\.jsonl: no such file; check the path"),
    Case(
        "broken line",
        write("labels.jsonl", jsonl(OFF) + '{"text": "Hi", \n'),
        TRAIN,
        r"labels\.jsonl:2: is not JSON \(.*\); a \.jsonl file has one \{…\} object per line",
    ),
    Case(
        "missing key",
        write("labels.jsonl", jsonl(OFF, {"text": "Hello.", "brand": "acme"})),
        TRAIN,
        r'labels\.jsonl:2: "label" is missing; expected "on" or "off"',
    ),
    Case(
        "unknown label",
        write("labels.jsonl", jsonl(OFF, OFF, {**OFF, "label": "maybe"})),
        TRAIN,
        r"labels\.jsonl:3: \"label\" is 'maybe'; expected \"on\" or \"off\"",
    ),
    Case(
        "missing columns",
        write("labels.csv", "sentence;label\nHello;on\n"),
        "train labels.csv --brand acme",
        r'labels\.csv:1: the header lacks the column "text"; found "sentence", "label"; name .*',
    ),
    Case(
        "binary labels", write("labels.jsonl", b"\0\1\2" * 99), TRAIN, r"labels\.jsonl: .*binary.*"
    ),
    Case(
        "one class",
        write("labels.jsonl", labelled(20, 0)),
        TRAIN,
        r'labels\.jsonl: brand "acme" has only "on" lines \(20\); add 10 or more labelled "off" .*',
    ),
    Case(
        "fewer than ten",
        write("labels.jsonl", labelled(20, 9)),
        TRAIN,
        r'labels\.jsonl: brand "acme" has 9 different lines labelled "off"; add 1 or more .*',
    ),
    Case(
        "brand that is no file name",
        write("labels.jsonl", jsonl({**OFF, "brand": "../acme"})),
        TRAIN,
        r"labels\.jsonl:1: brand '\.\./acme' cannot name a folder; use letters, .*",
    ),
    Case(
        "brand without a line",
        write("labels.jsonl", labelled(10, 10)),
        f"{TRAIN} -b acne",
        r"no line is of brand 'acne' \(found: acme\)",
    ),
    Case(
        "a place that is no voice",
        write("labels.jsonl", labelled(10, 10).replace("acme", "voices")),
        f"{TRAIN} -o .",
        r"voices: exists and is no voice; choose another output folder",
    ),
    Case(
        "a place that is a file",
        write("labels.jsonl", labelled(10, 10)),
        f"{TRAIN} -o good.md",
        r".*good\.md: is no folder to write to; choose another output folder",
    ),
    Case("no tasks", nothing, "evaluate voices", r"voices: holds no TASK\.train\.jsonl and .*"),
]


@pytest.mark.parametrize("case", [*DRAFTS, *CONFIGURATION, *LABELS], ids=lambda case: case.name)
def test_one_line_says_what_and_where(workplace: Path, case: Case) -> None:
    check_refusal(workplace, case)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("chek", r"No such command 'chek'\. Did you mean 'check'\?; see onbrand --help"),
        ("check --frmat json", r"No such option: --frmat .*; see onbrand check --help"),
        (
            "check x --format yaml",
            r".*'--format': 'yaml' is not one of .*; see onbrand check --help",
        ),
        ("gate", r"Missing argument 'files'; see onbrand gate --help"),
        ("gate x --gate 1.5", r".*'--gate': 1\.5 is not in the range .*; see onbrand gate --help"),
        ("train x --alarm-budget no", r".*'--alarm-budget': .*; see onbrand train --help"),
        ("voices show", r"Missing argument 'brand'; see onbrand voices show --help"),
        ("score Hi --all -b x", r"--brand and --all exclude each other; give one of them"),
        ("score  --voices voices", r"Missing argument 'sentence'; see onbrand score --help"),
    ],
)
def test_usage_errors_are_one_line_too(command: str, message: str) -> None:
    said = error_of(run(*command.split()))
    assert re.fullmatch(message, said), said


@pytest.mark.parametrize("group", ["", "voices", "labels", "config", "models"])
def test_a_group_without_a_command_shows_its_help(group: str) -> None:
    done = run(*group.split())
    assert done.code == 2
    assert done.err.startswith(f"Usage: {' '.join(['onbrand', *group.split()])} ")


def test_debug_adds_the_traceback_wherever_it_stands(tmp_path: Path) -> None:
    for arguments in (["--debug", "check", "no.md"], ["check", "no.md", "--debug"]):
        done = run(*arguments)
        assert done.code == 2
        assert done.err.startswith("Traceback (most recent call last):\n")
        assert done.err.endswith("\nerror: no.md: no such file; check the path\n")
    done = run("check", "--", "--debug")  # a file of that name
    assert error_of(done) == "--debug: no such file; check the path"


def test_contradicting_labels_are_told_and_both_dropped(workplace: Path) -> None:
    text = {"text": "Say it twice.", "brand": "acme"}
    twice = jsonl({**text, "label": "on"}, {**text, "label": "off"})
    (workplace / "labels.jsonl").write_text(labelled(10, 10) + twice)
    done = run("train", "labels.jsonl", "-o", "new")
    assert done.code == 0
    assert done.err == (
        'warning: labels.jsonl:21: labelled "on" here and "off" in labels.jsonl:22; both dropped\n'
    )
    counts = json.loads((workplace / "new" / "acme" / "voice.json").read_text())["labels"]
    assert (counts["on"], counts["off"]) == (10, 10)
    # Without the two there are too few.
    (workplace / "labels.jsonl").write_text(labelled(9, 10) + twice)
    done = run("train", "labels.jsonl", "-o", "new")
    assert 'has 9 different lines labelled "on"' in error_of(done)
