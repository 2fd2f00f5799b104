"""A log line holds ids and places, never what anyone wrote."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from onbrand_slack.log import JsonLines, describe, start_logging

DRAFT = "We leverage synergies"


def line(name: str, message: str, **more: object) -> dict[str, object]:
    record = logging.LogRecord(name, logging.WARNING, "/x/place.py", 7, message, (), None, "work")
    record.__dict__.update(more)
    return json.loads(JsonLines().format(record))


def test_our_own_words_and_ids_are_told() -> None:
    told = line("onbrand_slack.work", "a job ended", job=7, workspace="T1", text=DRAFT)
    assert (told["message"], told["job"], told["workspace"]) == ("a job ended", 7, "T1")
    assert told["level"] == "warning"
    assert DRAFT not in json.dumps(told)


def test_of_other_libraries_only_the_place_is_told() -> None:
    told = line("slack_bolt.App", f"Unhandled request ({DRAFT})")
    assert told["place"] == "place.work:7"
    assert DRAFT not in json.dumps(told)


def test_an_exception_is_its_class_and_place() -> None:
    try:
        raise ValueError(DRAFT)
    except ValueError as error:
        said = describe(error)
        told = line("uvicorn.error", "oops", exc_info=(ValueError, error, error.__traceback__))
    assert said.startswith("ValueError in test_an_exception_is_its_class_and_place (")
    assert told["error"] == said
    assert DRAFT not in json.dumps(told)


def test_a_line_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        start_logging("info")
        logging.getLogger("onbrand_slack").info("two\nlines", extra={"kind": "“quoted”"})
        logging.getLogger("slack_sdk").info(DRAFT)
        sys.stderr.flush()
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.getLogger("onbrand_slack").setLevel(logging.NOTSET)
    (written,) = capsys.readouterr().err.splitlines()
    assert json.loads(written)["message"] == "two\nlines"
