"""Home, settings, words, digest and privacy: who may, what is stored, what is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_world import (
    ELSEWHERE,
    HERE,
    INSTALLER,
    OFF,
    ONLY,
    PRESSED,
    World,
    buttons,
    in_review,
    refusal,
    shown,
    text_of,
    world,
)

from onbrand_slack.answer import WorkspaceSettings
from onbrand_slack.handlers import HANDLERS, problem_calls
from onbrand_slack.model import (
    Check,
    Configure,
    Decide,
    Digest,
    Home,
    Pasted,
    Prompts,
    Request,
    Say,
    Share,
    Source,
    Tenant,
    ToConversation,
    Uninstalled,
)
from onbrand_slack.names import Action
from onbrand_slack.scoring import Scoring


@pytest.fixture
def slack(tmp_path: Path, scoring: Scoring) -> Iterator[World]:
    with world(tmp_path, scoring) as made:
        made.slack.users["UBOSS"] = {"is_admin": True}
        yield made


# --- the registry -------------------------------------------------------------------------------


def test_every_kind_of_request_has_a_handler() -> None:
    assert set(HANDLERS) == set(Request.__args__)


@pytest.mark.parametrize(
    ("request_", "method"),
    [
        (Share("UANN", "t", "C1"), "chat.postMessage"),
        (Decide("UANN", "r", "approve"), "chat.postMessage"),
        (Configure("UANN", {}), "chat.postMessage"),
        (Home("UANN"), None),
        (Prompts("D1", "UANN"), None),
        (Digest(ONLY, "2026-W47"), None),
        (Uninstalled(), None),
    ],
)
def test_trouble_is_told_to_whoever_waits(
    slack: World, request_: Request, method: str | None
) -> None:
    calls = problem_calls(slack.job(request_), "something is wrong; mend it")
    assert [call.method for call in calls] == ([method] if method else [])
    assert all("Something is wrong; mend it" in text_of(call) for call in calls)


# --- home ---------------------------------------------------------------------------------------


def test_home_shows_what_a_user_can_do(slack: World) -> None:
    review = in_review(slack)
    slack.store.settings.set_user_brand(HERE, "UANN", "quillpot")
    (call,) = slack.run(Home("UANN"))
    assert (call.method, call.arguments["user_id"]) == ("views.publish", "UANN")
    own = text_of(call)
    assert "quillpot" in own
    assert "Your drafts in review" in own
    assert "waiting for your decision" not in own, "an own draft is others' to decide on"
    assert Action.HOME_SETTINGS not in buttons(shown(call))
    (others,) = slack.run(Home("UBEN"))
    assert "waiting for your decision" in text_of(others)
    slack.run(Decide("UBEN", review, "approve"))
    (others,) = slack.run(Home("UBEN"))
    assert "waiting for your decision" not in text_of(others)


def test_only_reviewers_have_drafts_waiting(slack: World) -> None:
    in_review(slack, reviewers=("UCLEO",))
    assert "waiting for your decision" not in text_of(slack.run(Home("UBEN"))[0])
    assert "waiting for your decision" in text_of(slack.run(Home("UCLEO"))[0])


@pytest.mark.parametrize("user", ["UBOSS", INSTALLER, "UNAMED"])
def test_admins_have_doors_to_settings(slack: World, user: str) -> None:
    settings = WorkspaceSettings(admins=("UNAMED",))
    slack.store.settings.set_workspace(HERE, settings, "UBOSS")
    (call,) = slack.run(Home(user))
    assert {Action.HOME_SETTINGS, Action.HOME_AUDIT} <= buttons(shown(call)).keys()


def test_home_is_there_where_slack_does_not_tell_who_it_is(slack: World) -> None:
    slack.slack.answers["users_info"] = refusal("missing_scope")
    (call,) = slack.run(Home("UBOSS"))
    assert Action.HOME_CHECK in buttons(shown(call))
    assert Action.HOME_SETTINGS not in buttons(shown(call))


def test_home_of_a_workspace_without_voices_says_what_to_do(slack: World) -> None:
    slack.slacks["T3"] = slack.slack
    (call,) = slack.run(Home("UANN"), tenant=Tenant("T3"))
    assert "no voices yet" in text_of(call)


def test_home_shows_nothing_of_another_workspace(slack: World) -> None:
    in_review(slack)
    (call,) = slack.run(Home("UBEN"), tenant=ELSEWHERE)
    assert "quillpot" not in text_of(call)
    assert "waiting for your decision" not in text_of(call)


def test_home_lists_no_draft_that_still_waits_for_its_brand(slack: World) -> None:
    slack.run(Check("UANN", Source.COMMAND, Pasted(OFF), PRESSED))
    (call,) = slack.run(Home("UANN"))
    assert "Nothing yet" in text_of(call)


def test_prompts_are_a_nicety(slack: World) -> None:
    (call,) = slack.run(Prompts("D1", "UANN"))
    assert call.method == "assistant.threads.setSuggestedPrompts"
    assert call.optional
    assert 1 <= len(call.arguments["prompts"]) <= 4
    assert call.arguments["channel_id"] == "D1"


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "word"),
    [("help", "Ways to check"), ("brands", "varnholt-pumps"), ("settings", "onbrand settings")],
)
@pytest.mark.parametrize("reply", [PRESSED, ToConversation("D1")])
def test_words_are_said_where_they_were_asked(
    slack: World, topic: str, word: str, reply: object
) -> None:
    (call,) = slack.run(Say("UANN", topic, reply, "C1"))
    assert word in text_of(call)


def test_settings_have_a_door_for_admins_alone(slack: World) -> None:
    (call,) = slack.run(Say("UBOSS", "settings", PRESSED, "C1"))
    assert buttons(shown(call))[Action.HOME_SETTINGS] == "C1"
    (call,) = slack.run(Say("UANN", "settings", PRESSED, "C1"))
    assert Action.HOME_SETTINGS not in buttons(shown(call))


def test_use_sets_the_own_brand(slack: World) -> None:
    slack.run(Say("UANN", "use", PRESSED, "C1", "quillpot"))
    assert slack.store.settings.user_brand(HERE, "UANN") == "quillpot"
    (call,) = slack.run(Say("UANN", "use", PRESSED, "C1", "nobody"))
    assert "I know no brand" in text_of(call)
    assert slack.store.settings.user_brand(HERE, "UANN") == "quillpot"
    assert slack.store.settings.user_brand(ELSEWHERE, "UANN") is None
