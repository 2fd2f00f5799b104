"""What is said to the app becomes a request in the queue, or a word."""

from __future__ import annotations

from typing import Any

import pytest
from slack_inbound import BOT_USER, CHANNEL, USER, Inbound

from listener_samples import ROOT, URL, body, full
from onbrand_slack.model import (
    Check,
    Files,
    Home,
    MessageAt,
    Pasted,
    Prompts,
    Say,
    Source,
    ThreadAt,
    ToConversation,
    ToUser,
    ToWorkflow,
    Uninstalled,
)

# --- the command -----------------------------------------------------------------------------


def test_a_command_with_a_draft(slack: Inbound) -> None:
    assert body(slack.command("acme We ship to <#C2|general> &amp; all.")) == {}
    assert slack.job() == Check(
        user=USER,
        source=Source.COMMAND,
        draft=Pasted("We ship to #general & all."),
        reply=ToUser(CHANNEL, USER, response_url=URL),
        channel=CHANNEL,
        brand="acme",
    )


@pytest.mark.parametrize(
    ("text", "topic", "brand"),
    [
        ("", "help", None),
        ("help", "help", None),
        ("brands", "brands", None),
        ("settings", "settings", None),
        ("use bolt", "use", "bolt"),
    ],
)
def test_a_command_without_a_draft(
    slack: Inbound, text: str, topic: str, brand: str | None
) -> None:
    slack.command(text)
    reply = ToUser(CHANNEL, USER, response_url=URL)
    assert slack.job() == Say(USER, topic, reply, CHANNEL, brand)


def test_a_command_that_is_wrong_is_answered_at_once(slack: Inbound) -> None:
    said = body(slack.command("use bolts"))
    assert "bolt" in said["text"]
    assert slack.jobs() == []


def test_a_command_where_there_are_no_voices_is_taken(slack: Inbound) -> None:
    slack.scoring.names = None
    slack.command("We ship.")
    assert slack.job().draft == Pasted("We ship.")


def test_a_command_says_how_long_the_line_is(slack: Inbound) -> None:
    slack.services.metrics.seconds_a_draft = 1.0
    ahead = int(3.0 * slack.config.workers) + 1
    for _ in range(ahead):
        assert body(slack.command("acme We ship.")) == {}
    said = body(slack.command("acme We ship."))
    assert f"{ahead} drafts before yours" in said["text"]
    assert "about 5 seconds" in said["text"]
    assert "response_type" not in said, "only its user sees it"


def test_a_command_that_finds_the_queue_full_says_so(slack: Inbound) -> None:
    full(slack)
    assert "busy" in body(slack.command("acme We ship."))["text"]
    assert len(slack.jobs()) == 1


# --- mentions --------------------------------------------------------------------------------


def test_a_mention_with_a_draft(slack: Inbound) -> None:
    slack.mention("bolt: We ship.")
    assert slack.job() == Check(
        user=USER,
        source=Source.MENTION,
        draft=Pasted("We ship."),
        reply=ToUser(CHANNEL, USER),
        channel=CHANNEL,
        brand="bolt",
    )


@pytest.mark.parametrize(("text", "brand"), [("", None), ("acme", "acme")])
def test_a_mention_in_a_thread_means_its_first_message(
    slack: Inbound, text: str, brand: str | None
) -> None:
    slack.mention(text, thread_ts=ROOT)
    check = slack.job()
    assert (check.draft, check.brand) == (MessageAt(CHANNEL, ROOT), brand)
    assert check.reply == ToUser(CHANNEL, USER, thread=ROOT)


def test_a_mention_in_a_thread_can_mean_the_whole(slack: Inbound) -> None:
    slack.mention("acme summary", thread_ts=ROOT)
    check = slack.job()
    assert (check.draft, check.brand) == (ThreadAt(CHANNEL, ROOT), "acme")


def test_a_mention_without_anything_gets_help(slack: Inbound) -> None:
    slack.mention("")
    assert slack.job() == Say(USER, "help", ToUser(CHANNEL, USER), CHANNEL)


def test_a_mention_with_files(slack: Inbound) -> None:
    slack.mention("bolt", files=[{"id": "F1"}, {"id": "F2"}])
    check = slack.job()
    assert (check.draft, check.brand) == (Files(("F1", "F2")), "bolt")


def test_a_mention_that_is_wrong_is_told_so_once(slack: Inbound) -> None:
    ts = slack.ts()
    slack.mention("use bolts", ts=ts)
    slack.mention("use bolts", ts=ts)
    ((_, told),) = slack.client.called("chat_postEphemeral")
    assert (told["channel"], told["user"]) == (CHANNEL, USER)
    assert slack.jobs() == []


def test_a_mention_that_finds_the_queue_full_is_told_so(slack: Inbound) -> None:
    full(slack)
    slack.mention("acme We ship.", thread_ts=ROOT)
    ((_, told),) = slack.client.called("chat_postEphemeral")
    assert "busy" in told["text"]
    assert told["thread_ts"] == ROOT


# --- direct messages, the App Home, the end --------------------------------------------------


def test_a_direct_message_is_a_draft(slack: Inbound) -> None:
    slack.direct("We ship.", thread_ts=ROOT)
    assert slack.job() == Check(
        user=USER,
        source=Source.MESSAGE,
        draft=Pasted("We ship."),
        reply=ToConversation("D1", ROOT),
    )


def test_a_file_in_a_direct_message_is_a_draft(slack: Inbound) -> None:
    slack.direct("", subtype="file_share", files=[{"id": "F1"}])
    assert slack.job().draft == Files(("F1",))


def test_a_direct_message_that_finds_the_queue_full_is_told_so(slack: Inbound) -> None:
    full(slack)
    slack.direct("acme We ship.")
    ((_, told),) = slack.client.called("chat_postMessage")
    assert told["channel"] == "D1"


@pytest.mark.parametrize(
    ("tab", "jobs"), [("home", [Home(USER)]), ("messages", [Prompts("D1", USER)]), ("about", [])]
)
def test_the_app_is_looked_at(slack: Inbound, tab: str, jobs: list[Any]) -> None:
    slack.event({"type": "app_home_opened", "user": USER, "channel": "D1", "tab": tab})
    assert slack.jobs() == jobs


def test_the_app_is_removed(slack: Inbound) -> None:
    slack.event({"type": "app_uninstalled"})
    assert slack.jobs() == [Uninstalled()]


# --- workflows -------------------------------------------------------------------------------


def step(**inputs: Any) -> dict[str, Any]:
    return {
        "type": "function_executed",
        "function": {"callback_id": "check_copy"},
        "function_execution_id": "Fx1",
        "inputs": inputs,
    }


def test_a_step_of_a_workflow(slack: Inbound) -> None:
    slack.event(step(text="Us &amp; them.", brand="acme", report_to="C5", report_to_user="U5"))
    assert slack.job() == Check(
        user=BOT_USER,
        source=Source.WORKFLOW,
        draft=Pasted("Us & them."),
        reply=ToWorkflow("Fx1", "C5"),
        brand="acme",
    )


def test_a_step_with_nothing_but_a_person(slack: Inbound) -> None:
    slack.event(step(report_to_user="U5", brand=""))
    check = slack.job()
    assert (check.draft, check.brand, check.reply) == (Pasted(""), None, ToWorkflow("Fx1", "U5"))


def test_a_step_that_finds_the_queue_full_fails_in_words(slack: Inbound) -> None:
    full(slack)
    slack.event(step(text="We ship."))
    ((_, told),) = slack.client.called("functions_completeError")
    assert told["function_execution_id"] == "Fx1"
    assert "busy" in told["error"]
