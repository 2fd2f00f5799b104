"""The step "Check copy" of Workflow Builder: outputs, reports, errors."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from slack_peer import ApiCall
from slack_talk import FLAGGED, ON_BRAND, Talk, offers, read

_numbers = itertools.count(1)


def run(talk: Talk, execution: str = "", **inputs: Any) -> str:
    """Let a workflow come to the step, and return the execution's id."""
    execution = execution or f"Fx{next(_numbers):09d}"
    event = {
        "type": "function_executed",
        "function": {"id": "Fn1", "callback_id": "check_copy", "type": "app"},
        "function_execution_id": execution,
        "workflow_execution_id": "Wx1",
        "bot_access_token": "xwfp-local",
        "inputs": inputs,
    }
    assert talk.event(event).status == 200
    return execution


def ended(talk: Talk, execution: str) -> ApiCall:
    """Return the call that ended a step."""
    call = talk.next("functions.completeSuccess", "functions.completeError")
    assert call.arguments["function_execution_id"] == execution
    return call


def outputs(talk: Talk, execution: str) -> dict[str, Any]:
    call = ended(talk, execution)
    assert call.method == "functions.completeSuccess"
    return dict(call.arguments["outputs"])


def problem(talk: Talk, execution: str) -> str:
    call = ended(talk, execution)
    assert call.method == "functions.completeError"
    return str(call.arguments["error"])


@pytest.mark.parametrize(("draft", "verdict"), [(FLAGGED, "review"), (ON_BRAND, "forward")])
def test_a_step_says_verdict_and_probability(talk: Talk, draft: str, verdict: str) -> None:
    made = outputs(talk, run(talk, text=draft, brand="oatfolk"))
    assert (made["verdict"], made["report_link"]) == (verdict, "")
    assert (made["probability"] >= 0.7) == (verdict == "forward")
    assert talk.settle() and [call.method for call in talk.calls()] == ["functions.completeSuccess"]


def test_a_report_to_a_channel_is_linked(talk: Talk) -> None:
    execution = run(talk, text=FLAGGED, brand="oatfolk", report_to=talk.channel)
    report = talk.next("chat.postMessage")
    assert report.arguments["channel"] == talk.channel
    assert offers(talk.shown(report)) == ["label_on", "label_off", "details"]
    ts = report.answer["ts"].replace(".", "")
    link = outputs(talk, execution)["report_link"]
    assert link == f"https://local.slack.com/archives/{talk.channel}/p{ts}"


def test_a_report_to_a_person_is_theirs_alone(talk: Talk) -> None:
    execution = run(talk, text=FLAGGED, brand="oatfolk", report_to_user=talk.user)
    report = talk.next("chat.postMessage")
    assert report.arguments["channel"] == talk.user
    assert "not quite oatfolk yet" in read(talk.shown(report))
    assert outputs(talk, execution)["report_link"].startswith("https://")


def test_a_report_that_cannot_be_posted_costs_the_link_only(talk: Talk) -> None:
    talk.peer.refuse("chat.postMessage", "not_in_channel", times=2, only=talk.channel)
    made = outputs(talk, run(talk, text=FLAGGED, brand="oatfolk", report_to=talk.channel))
    assert (made["verdict"], made["report_link"]) == ("review", "")


def test_a_link_that_slack_does_not_give_is_left_empty(talk: Talk) -> None:
    talk.peer.refuse("chat.getPermalink", "message_not_found", only=talk.channel)
    made = outputs(talk, run(talk, text=FLAGGED, brand="oatfolk", report_to=talk.channel))
    assert (made["verdict"], made["report_link"]) == ("review", "")


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        ({"text": FLAGGED}, "Which brand?"),
        ({"text": FLAGGED, "brand": "oatfolc"}, "did you mean 'oatfolk'"),
        ({"text": "", "brand": "oatfolk"}, "no text to check"),
        ({"brand": "oatfolk"}, "no text to check"),
        ({"text": "Hi.", "brand": "oatfolk"}, "Not judged"),
        ({"text": None, "brand": None}, "no text to check"),
    ],
)
def test_a_step_that_fails_says_why(talk: Talk, inputs: dict[str, Any], word: str) -> None:
    assert word in problem(talk, run(talk, **inputs))


def test_entities_in_a_step_are_what_was_typed(talk: Talk) -> None:
    text = f"{FLAGGED} Q&amp;A with <https://example.com|our team> for &lt;everyone&gt; today."
    execution = run(talk, text=text, brand="oatfolk", report_to_user=talk.user)
    report = talk.written()
    assert outputs(talk, execution)["verdict"] == "review"
    talk.use(report, "details")
    shown = "".join(read(talk.view("views.open")).split())
    assert "Q&Awithourteamfor<everyone>today." in shown


def test_a_step_delivered_again_is_run_once(talk: Talk) -> None:
    before = talk.settle()["check"]
    execution = run(talk, text=FLAGGED, brand="oatfolk")
    for _ in range(3):
        run(talk, execution, text=FLAGGED, brand="oatfolk")
    assert talk.settle()["check"] == before + 1
    assert len(talk.calls("functions.completeSuccess")) == 1


def test_a_step_of_another_name_is_none_of_ours(talk: Talk) -> None:
    before = talk.settle()
    event = {"type": "function_executed", "function": {"callback_id": "their_step"}}
    assert talk.event({**event, "function_execution_id": "Fx0", "inputs": {}}).status == 200
    assert talk.settle() == before
    assert talk.calls() == []
