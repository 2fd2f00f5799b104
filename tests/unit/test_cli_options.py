"""What several commands share: progress, JSON and errors in a line."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest

from onbrand.errors import OnbrandError
from onbrand.progress import ProgressEvent
from onbrand_cli import common as options
from onbrand_cli.common import error_line, json_text, print_json, progress_bar

HOLDER = "waiting for process 7 on laptop"
WAITING = ProgressEvent("waiting", message=HOLDER, waiting=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_waiting_is_told_at_once_and_once(
    stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = stream()
    monkeypatch.setattr(sys, "stderr", shown)
    with progress_bar("updating") as progress:
        progress(WAITING)
        assert shown.getvalue() == f"{HOLDER}\n"
        progress(WAITING)
        progress(ProgressEvent("fetching", 5, 10, message="acme"))
    assert shown.getvalue() == f"{HOLDER}\n"


def test_waiting_is_told_beside_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(options, "PROGRESS_AFTER", 0.0)
    with progress_bar("updating") as progress:
        progress(ProgressEvent("reading", 0.1))
        progress(WAITING)
        progress(WAITING)
    assert shown.getvalue().count(HOLDER) == 1


def test_json_of_names_that_are_not_utf_8(capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"y\xff")
    value = {"folders": [name, "größe"], name: (name, 1, None, 0.5)}
    assert json.loads(json_text(value)) == {
        "folders": ["y\ufffd", "größe"],
        "y\ufffd": ["y\ufffd", 1, None, 0.5],
    }
    print_json(value)
    assert capsys.readouterr().out == json_text(value) + "\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OnbrandError("is none", path="a", line=3), "a:3: is none"),
        (PermissionError(13, "Permission denied", "b"), "b: Permission denied"),
        (OSError(28, "No space left on device"), "place: No space left on device"),
        (OSError("timed out"), "place: timed out"),
    ],
)
def test_errors_in_a_line(error: OnbrandError | OSError, line: str) -> None:
    assert error_line(error, "place") == line
