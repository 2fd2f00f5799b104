"""Drafts are read where they are: in files, messages, threads; and nobody else's are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_world import (
    BOT,
    ELSEWHERE,
    HERE,
    HOOK,
    OFF,
    ONLY,
    World,
    buttons,
    refusal,
    shown,
    text_of,
    world,
)

from onbrand_slack.drafts import DraftProblem, files
from onbrand_slack.model import (
    Check,
    Files,
    MessageAt,
    Pasted,
    Reply,
    Sealed,
    Source,
    ThreadAt,
    ToUser,
    ToView,
)
from onbrand_slack.names import Action
from onbrand_slack.scoring import Scoring

FINE = "Shake it, pour it, drink it."
TO_USER = ToUser("C1", "UANN", response_url=HOOK)


@pytest.fixture
def slack(tmp_path: Path, scoring: Scoring) -> Iterator[World]:
    with world(tmp_path, scoring) as made:
        yield made


def check(text: str = OFF, reply: Reply = TO_USER, **more: object) -> Check:
    made = {"brand": ONLY, "channel": "C1", "draft": Pasted(text), **more}
    return Check(user="UANN", source=Source.COMMAND, reply=reply, **made)


def ticket_in(slack: World, request: Check, **more: object) -> str:
    (call,) = slack.run(request, **more)
    return buttons(shown(call))[Action.DETAILS]


# --- where drafts are ---------------------------------------------------------------------------


def files_of(monkeypatch: pytest.MonkeyPatch, texts: dict[str, str | DraftProblem]) -> None:
    def fetch(info: dict[str, object], token: str, _url: str) -> files.FileDraft:
        assert token == "xoxb-T1"
        found = texts[str(info["id"])]
        if isinstance(found, DraftProblem):
            raise found
        return files.FileDraft(f"{info['id']}.txt", found)

    monkeypatch.setattr(files, "fetch", fetch)


def test_each_file_has_an_answer_of_its_own(slack: World, monkeypatch: pytest.MonkeyPatch) -> None:
    files_of(monkeypatch, {"F1": OFF, "F2": DraftProblem("the file is damaged"), "F3": FINE})
    request = check(draft=Files(("F1", "F2", "F3")))
    slack.run(request, key="job")
    first, second, third = slack.run(request, key="job", again=True)
    assert len(slack.store.checks.recent(HERE, "UANN")) == 2, "each once"
    assert "F1.txt" in text_of(first)
    assert "“F2.txt”: The file is damaged" in text_of(second)
    assert "F3.txt" in text_of(third)


def test_no_more_than_five_files_are_read_and_the_rest_is_named(
    slack: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = tuple(f"F{number}" for number in range(8))
    files_of(monkeypatch, dict.fromkeys(ids, OFF))
    calls = slack.run(check(draft=Files(ids), reply=ToView("V1", "UANN")))
    assert len(calls) == 6
    assert "3 files" in text_of(calls[-1])
    assert [call.method for call in calls] == ["views.update", *["chat.postMessage"] * 5]


def test_a_file_that_slack_does_not_show_is_trouble_of_that_file(slack: World) -> None:
    slack.slack.answers["files_info"] = refusal("file_not_found")
    (call,) = slack.run(check(draft=Files(("F1",))))
    assert "Upload it again" in text_of(call)


def test_slack_that_is_away_is_no_trouble_of_the_users(slack: World) -> None:
    slack.slack.answers["files_info"] = refusal("internal_error", 500)
    with pytest.raises(Exception, match="no"):
        slack.run(check(draft=Files(("F1",))))


@pytest.mark.parametrize("thread", [None, "1.0"])
def test_a_message_is_read_alone(slack: World, thread: str | None) -> None:
    slack.slack.messages = [{"ts": "1.0", "text": "The first."}, {"ts": "1.5", "text": OFF}]
    (call,) = slack.run(check(draft=MessageAt("C1", "1.5", thread)))
    assert "leverage" in text_of(call)
    assert "slack.com/archives/C1/p15" in text_of(call)
    method, arguments = next(a for a in slack.slack.asked if a[0].startswith("conversations"))
    assert method == ("conversations_history" if thread is None else "conversations_replies")
    assert (arguments["latest"], arguments["inclusive"]) == ("1.5", True)
    assert arguments["limit"] <= 2, "never crawl"


def test_a_message_to_us_may_begin_with_its_brand(slack: World) -> None:
    slack.slack.messages = [{"ts": "1.5", "text": f"<@{BOT}> quillpot: {OFF}"}]
    (call,) = slack.run(check(draft=MessageAt("C1", "1.5"), brand=None))
    assert "not quite quillpot" in text_of(call)
    check_ = slack.store.checks.open(HERE, buttons(shown(call))[Action.DETAILS])
    assert check_ is not None
    assert check_.draft.text == OFF


def test_a_message_without_text_is_its_files(slack: World, monkeypatch: pytest.MonkeyPatch) -> None:
    files_of(monkeypatch, {"F1": OFF})
    slack.slack.messages = [{"ts": "1.5", "text": "", "files": [{"id": "F1", "url_private": "x"}]}]
    (call,) = slack.run(check(draft=MessageAt("C1", "1.5")))
    assert "F1.txt" in text_of(call)


@pytest.mark.parametrize(
    ("code", "told"),
    [("not_in_channel", "Invite me"), ("thread_not_found", "no longer there")],
)
def test_a_message_that_cannot_be_read(slack: World, code: str, told: str) -> None:
    slack.slack.answers["conversations_history"] = refusal(code)
    (call,) = slack.run(check(draft=MessageAt("C1", "1.5")))
    assert told in text_of(call)


def test_a_deleted_message_is_missed(slack: World) -> None:
    slack.slack.messages = [{"ts": "1.4", "text": OFF}]  # the one before it
    (call,) = slack.run(check(draft=MessageAt("C1", "1.5")))
    assert "no longer there" in text_of(call)


# --- threads ------------------------------------------------------------------------------------


def test_a_thread_is_summed_up_and_nothing_of_it_stored(slack: World) -> None:
    slack.slack.messages = [
        {"ts": "1.0", "user": "UBEN", "text": OFF},
        {"ts": "1.1", "user": "UCLEO", "text": FINE},
        {"ts": "1.2", "user": BOT, "bot_id": "B1", "text": "Ours is not judged."},
        {"ts": "1.3", "user": "UANN", "text": f"<@{BOT}> summary"},
        {"ts": "1.4", "user": "UANN", "subtype": "channel_join", "text": "has joined here"},
    ]
    (call,) = slack.run(check(draft=ThreadAt("C1", "1.0")))
    assert "2 messages" in text_of(call)
    assert "UBEN" in text_of(call)
    assert "slack.com/archives/C1/p10" in text_of(call)
    assert slack.store.checks.recent(HERE, "UANN") == []


def test_of_a_long_thread_one_page_is_read(slack: World) -> None:
    slack.slack.answers["conversations_replies"] = {
        "messages": [{"ts": f"1.{n}", "user": "UBEN", "text": OFF} for n in range(50)],
        "has_more": True,
    }
    (call,) = slack.run(check(draft=ThreadAt("C1", "1.0")))
    assert "first 50 messages" in text_of(call)
    asked = [a for a in slack.slack.asked if a[0] == "conversations_replies"]
    assert len(asked) == 1


def test_an_empty_thread_and_one_without_a_brand(slack: World) -> None:
    (call,) = slack.run(check(draft=ThreadAt("C1", "1.0")))
    assert "There is no text in this thread" in text_of(call)
    (call,) = slack.run(check(draft=ThreadAt("C1", "1.0"), brand=None))
    assert "Which brand" in text_of(call)


# --- two workspaces -----------------------------------------------------------------------------


def test_a_ticket_of_another_workspace_opens_nothing(slack: World) -> None:
    ticket = ticket_in(slack, check())
    (call,) = slack.run(check(draft=Sealed(ticket)), tenant=ELSEWHERE)
    assert "no longer kept" in text_of(call)
    (call,) = slack.run(check(text=FINE, previous=ticket), tenant=ELSEWHERE)
    assert "since the last version" not in text_of(call)


def test_a_brand_of_another_workspace_is_not_known(slack: World) -> None:
    slack.store.settings.set_channel_brand(HERE, "C1", "quillpot", "UBOSS")
    (call,) = slack.run(check(brand="quillpot"), tenant=ELSEWHERE)
    assert "no voice for brand" in text_of(call).lower()
    (call,) = slack.run(check(brand=None), tenant=ELSEWHERE)
    assert "quillpot" not in text_of(call)


def test_files_and_messages_are_asked_for_with_the_workspaces_own_token(slack: World) -> None:
    slack.slack.messages = [{"ts": "1.5", "text": OFF}]
    (call,) = slack.run(check(draft=MessageAt("C1", "1.5")), tenant=ELSEWHERE)
    assert "no longer there" in text_of(call)
    assert slack.slack.asked == []
