from __future__ import annotations

from typing import Any

import pytest
from slack_answers import TICKET
from slack_golden import check_golden, find, offered, said

from onbrand_slack.names import Action
from onbrand_slack.render import check_form
from onbrand_slack.render.check_form import Form


def sent(view: dict[str, Any], brand: str | None, text: str | None, *files: str) -> dict[str, Any]:
    """What Slack sends back of a view."""
    option = {"text": {"type": "plain_text", "text": brand}, "value": brand} if brand else None
    values = {
        "brand": {"brand": {"type": "external_select", "selected_option": option}},
        "draft": {"draft": {"type": "plain_text_input", "value": text}},
        "file": {"file": {"type": "file_input", "files": [{"id": id_} for id_ in files]}},
    }
    return view | {"state": {"values": values}}


NEW = check_form.view(None, channel="C1")
AGAIN = check_form.view("acme", "One.\n\n\tTwo & <three>.\0 ", ticket=TICKET)


def test_golden() -> None:
    check_golden("check-form-new", NEW)
    check_golden("check-form-again", AGAIN)


def test_a_re_check_has_the_draft_in_its_box() -> None:
    assert find(AGAIN, Action.DRAFT)["initial_value"] == "One.\n\n Two & <three>.\ufffd"
    assert find(AGAIN, Action.BRAND)["initial_option"]["value"] == "acme"
    assert AGAIN["title"]["text"] == "Check the new version"


@pytest.mark.parametrize(("letters", "fits"), [(3000, True), (3001, False)])
def test_a_longer_draft_is_asked_for_as_a_file(letters: int, fits: bool) -> None:
    view = check_form.view("acme", "x" * letters, ticket=TICKET)
    assert ("initial_value" in find(view, Action.DRAFT)) is fits
    assert ("Drop the new version below as a file" in said(view)) is not fits


def test_emoji_count_as_slack_counts_them() -> None:
    assert "initial_value" not in find(check_form.view("acme", "🎉" * 1501), Action.DRAFT)


def test_read_a_draft() -> None:
    form = check_form.read(sent(NEW, "acme", "  It ships on Tuesday.\n"))
    assert form == Form("acme", "It ships on Tuesday.", channel="C1")
    form = check_form.read(sent(AGAIN, "acme", "It ships."))
    assert (form.ticket, form.channel) == (TICKET, None)


def test_read_files_no_more_than_the_box_takes() -> None:
    form = check_form.read(sent(NEW, "acme", None, *"ABCDEFG"))
    assert form == Form("acme", files=tuple("ABCDE"), channel="C1")


@pytest.mark.parametrize(
    ("view", "wrong"),
    [
        (sent(NEW, None, "It ships."), Action.BRAND),
        (sent(NEW, "acme", " \n"), Action.DRAFT),
        (sent(NEW, "acme", None), Action.DRAFT),
        (sent(NEW, "acme", "It ships.", "F1"), Action.FILE),
    ],
)
def test_errors_stand_at_the_input_they_are_about(view: dict[str, Any], wrong: str) -> None:
    assert list(check_form.read(view).errors) == [wrong]
    assert wrong in offered(NEW)


@pytest.mark.parametrize(
    "view",
    [
        None,
        [],
        {},
        {"state": 3},
        {"state": {"values": {"brand": [], "draft": {"draft": {"value": 3}}}}},
        {"state": {"values": {"file": {"file": {"files": [3, {"id": 4}, None]}}}}},
        {"private_metadata": "c0123 no JSON"},
        {"private_metadata": '{"ticket": 3}'},
        {"private_metadata": '"\ud800"'},
        {"private_metadata": 3},
    ],
)
def test_nonsense_is_an_empty_form(view: object) -> None:
    form = check_form.read(view)
    assert (form.brand, form.text, form.files, form.ticket) == (None, "", (), None)
    assert form.errors
