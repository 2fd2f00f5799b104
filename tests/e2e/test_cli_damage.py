"""Damaged voices, encoders and stores: told in one line, and never used."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from bad_input import (
    CHECK_ENCODER,
    CHECK_GOOD,
    Case,
    change,
    check_refusal,
    cut,
    flip,
    nothing,
    remove,
    write,
)
from cli_runner import BRANDS, error_of, run, tree

from onbrand.encoder import default_bundle
from onbrand.labels.store import VERSION_TABLE, LabelStore

VOICE, ENCODER = "voices/oatfolk", "encoder"
BUNDLES = [
    *(
        Case(
            f"{how.__name__} head",
            how(f"{VOICE}/head.safetensors"),
            CHECK_GOOD,
            r"voices/oatfolk/head\.safetensors: checksum does not match voice\.json; train .*",
        )
        for how in (cut, flip)
    ),
    Case(
        "missing head",
        remove(f"{VOICE}/head.safetensors"),
        CHECK_GOOD,
        r"voices/oatfolk/head\.safetensors: is missing or unreadable; train .*",
    ),
    Case(
        "tampered examples",
        flip(f"{VOICE}/examples.jsonl"),
        CHECK_GOOD,
        r"voices/oatfolk/examples\.jsonl: checksum does not match voice\.json; train .*",
    ),
    Case(
        "voice that leaves its folder",
        change(f"{VOICE}/voice.json", '"head.safetensors"', '"../head.safetensors"'),
        CHECK_GOOD,
        r"voices/oatfolk/voice\.json: names '\.\./head\.safetensors', which is no file of .*",
    ),
    Case(
        "broken voice",
        cut(f"{VOICE}/voice.json"),
        CHECK_GOOD,
        r"voices/oatfolk/voice\.json: is damaged \(.*\); train the voice again or copy it anew",
    ),
    Case(
        "newer voice",
        change(f"{VOICE}/voice.json", '"format": 1', '"format": 99'),
        "voices list",
        r"voices/oatfolk/voice\.json: voice format 99, .* reads up to 1; update onbrand",
    ),
    Case(
        "another encoder",
        change("encoder/encoder.json", '"max_tokens": 256', '"max_tokens": 128'),
        CHECK_ENCODER,
        r"voices/oatfolk: voice 'oatfolk' was trained on encoder .*; train it again or name .*",
    ),
    *(
        Case(
            f"{what} {file}",
            how(f"{ENCODER}/{file}"),
            CHECK_ENCODER,
            rf"encoder/{re.escape(file)}: {message}.*; install the bundle again",
        )
        for file in ("model.onnx", "tokenizer.json")
        for what, how, message in (
            ("truncated", cut, "has [0-9,]+ bytes but encoder.json says [0-9,]+"),
            ("tampered", flip, "checksum does not match encoder.json"),
            ("missing", remove, "is missing"),
        )
    ),
    Case(
        "encoder that leaves its folder",
        change("encoder/encoder.json", '"LICENSE"', '"../good.md"'),
        CHECK_ENCODER,
        r"encoder/encoder\.json: broken manifest: .*\.\./good\.md.*; install the bundle again",
    ),
    Case(
        "encoder that is none",
        nothing,
        f"{CHECK_GOOD} --encoder voices",
        r"voices: is not an encoder bundle .*",
    ),
]
STORES = [
    Case("no store", nothing, "train --labels-db no.db", r".*no\.db.*"),
    Case(
        "no database", write("a.db", "text, label\n" * 99), "train --labels-db a.db", r".*a\.db.*"
    ),
]


@pytest.mark.parametrize("case", [*BUNDLES, *STORES], ids=lambda case: case.name)
def test_one_line_says_what_and_where(workplace: Path, case: Case) -> None:
    if "--encoder encoder" in case.command:
        shutil.copytree(default_bundle(), workplace / "encoder")
    check_refusal(workplace, case)


def test_a_damaged_voice_does_not_stop_the_others(workplace: Path) -> None:
    flip("voices/quillpot/head.safetensors")(workplace)
    assert run("check", "good.md", "-b", "oatfolk").code == 1
    assert "quillpot/head.safetensors: checksum" in error_of(run("score", "Hello there.", "--all"))


def test_a_failed_training_leaves_the_old_voice(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The disk is full when the manifest, the last file, is written.
    write_bytes = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "voice.json":
            raise OSError(28, os.strerror(28), str(path))
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    shutil.copy(BRANDS / "oatfolk.jsonl", workplace)
    before = tree(workplace)
    message = error_of(run("train", "oatfolk.jsonl"))
    assert message.startswith("voices/oatfolk: cannot be written (No space left on device)")
    assert tree(workplace) == before


def test_a_locked_store_is_told(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("labels", "import", BRANDS / "oatfolk.jsonl", "--db", "labels.db").code == 0
    monkeypatch.setitem(LabelStore.open.__func__.__kwdefaults__, "timeout", 0.05)
    with contextlib.closing(sqlite3.connect("labels.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        message = error_of(run("labels", "import", BRANDS / "quillpot.jsonl", "--db", "labels.db"))
    assert re.fullmatch(
        r".*labels\.db: is locked by another program; close it or try again", message
    )


def test_a_store_of_a_newer_onbrand_is_told(workplace: Path) -> None:
    assert run("labels", "import", BRANDS / "oatfolk.jsonl", "--db", "labels.db").code == 0
    with contextlib.closing(sqlite3.connect("labels.db")) as other, other:
        other.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    before = tree(workplace)
    message = error_of(run("train", "--labels-db", "labels.db"))
    assert re.fullmatch(r".*labels\.db: was written by a newer onbrand.*", message)
    assert tree(workplace) == before
