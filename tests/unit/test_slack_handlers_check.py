"""Drafts are found, judged and answered, wherever they are and wherever the answer goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from slack_world import (
    ELSEWHERE,
    HERE,
    HOOK,
    OFF,
    ONLY,
    World,
    buttons,
    carried_out,
    refusal,
    shown,
    text_of,
    ways,
    world,
)

from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.model import (
    Check,
    Pasted,
    Reply,
    Sealed,
    Source,
    Tenant,
    ToConversation,
    ToUser,
    ToView,
    ToWorkflow,
)
from onbrand_slack.names import Action
from onbrand_slack.scoring import Scoring
from onbrand_slack.work.calls import RESPOND

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


# --- where the answer goes ----------------------------------------------------------------------


def test_a_command_is_answered_privately_and_by_other_ways_where_that_fails(slack: World) -> None:
    (call,) = slack.run(check())
    assert call.method == RESPOND
    assert call.arguments["url"] == HOOK
    assert call.arguments["body"]["response_type"] == "ephemeral"
    assert "leverage" in text_of(call)
    methods = [way.method for way in ways(call)]
    assert list(dict.fromkeys(methods)) == [RESPOND, "chat.postEphemeral", "chat.postMessage"]
    last = ways(call)[-1]
    assert last.arguments["channel"] == "UANN", "in the end, a direct message"
    assert "blocks" not in last.arguments, "and one that cannot be too long"


def test_a_mention_is_answered_in_its_thread(slack: World) -> None:
    (call,) = slack.run(check(reply=ToUser("C1", "UANN", thread="1.1")))
    assert call.method == "chat.postEphemeral"
    assert call.arguments["thread_ts"] == "1.1"
    assert call.arguments["user"] == "UANN"


def test_a_direct_message_is_answered_where_it_was_written(slack: World) -> None:
    (call,) = slack.run(check(reply=ToConversation("D1", "1.1"), channel=None))
    assert (call.method, call.channel) == ("chat.postMessage", "D1")
    assert call.arguments["thread_ts"] == "1.1"
    assert call.arguments["unfurl_links"] is False
    assert slack.slack.asked == [], "a short draft is judged before a status could be read"


def test_a_long_direct_message_shows_that_it_is_being_read(slack: World) -> None:
    reply = ToConversation("D1", "1.1")
    slack.run(check(text=f"{OFF} " * 300, reply=reply))
    method, arguments = slack.slack.asked[0]
    assert method == "assistant_threads_setStatus"
    assert (arguments["channel_id"], arguments["thread_ts"]) == ("D1", "1.1")
    slack.slack.answers[method] = refusal("not_allowed_token_type")
    assert slack.run(check(text=f"{OFF} " * 300, reply=reply)), "a nicety that may fail"


def test_a_modal_is_filled_and_its_user_told_where_it_is_closed(slack: World) -> None:
    (call,) = slack.run(check(reply=ToView("V1", "UANN")))
    assert call.method == "views.update"
    assert call.arguments["view_id"] == "V1"
    assert "leverage" in text_of(call)
    (done,) = carried_out([call], refused=lambda way: way.method == "views.update")
    assert (done.method, done.channel) == ("chat.postMessage", "UANN")
    assert "leverage" in text_of(done)


def test_a_step_of_a_workflow_gets_its_outputs(slack: World) -> None:
    (call,) = slack.run(check(reply=ToWorkflow("Fx1")))
    assert call.method == "functions.completeSuccess"
    assert call.arguments["function_execution_id"] == "Fx1"
    outputs = call.arguments["outputs"]
    assert outputs["verdict"] == "review"
    assert 0 <= outputs["probability"] < 0.5
    assert outputs["report_link"] == ""


@pytest.mark.parametrize("to", ["C9", "UBOSS"])
def test_a_step_posts_its_report_first_and_links_to_it(slack: World, to: str) -> None:
    report, link, complete = carried_out(slack.run(check(reply=ToWorkflow("Fx1", to))))
    assert (report.method, report.channel) == ("chat.postMessage", to)
    assert "leverage" in text_of(report)
    assert link.method == "chat.getPermalink"
    assert link.arguments["message_ts"] == "1700000000.000900"
    assert complete.arguments["outputs"]["report_link"].startswith("https://acme.slack.com/")


@pytest.mark.parametrize("broken", ["chat.postMessage", "chat.getPermalink"])
def test_a_step_has_its_verdict_even_where_its_report_cannot_be_posted(
    slack: World, broken: str
) -> None:
    calls = slack.run(check(reply=ToWorkflow("Fx1", "C9")))
    *_, last = carried_out(calls, refused=lambda way: way.method == broken)
    assert last.method == "functions.completeSuccess"
    assert last.arguments["outputs"]["verdict"] == "review"


# --- trouble ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (check(text="  \n "), "no text to check"),
        (check(brand="oatfalk"), "did you mean"),
        (check(text="---\nbrand: nobody\n---\nA line.", brand=None), "front matter"),
        (check(draft=Sealed("c0123456789abcdef." + "k" * 43)), "no longer kept"),
    ],
)
@pytest.mark.parametrize(
    ("reply", "method"),
    [
        (TO_USER, RESPOND),
        (ToUser("C1", "UANN"), "chat.postEphemeral"),
        (ToConversation("D1"), "chat.postMessage"),
        (ToView("V1", "UANN"), "views.update"),
        (ToWorkflow("Fx1"), "functions.completeError"),
    ],
)
def test_trouble_is_one_clear_line_by_the_same_way(
    slack: World, made: Check, told: str, reply: Reply, method: str
) -> None:
    (call,) = slack.run(structs.replace(made, reply=reply))
    assert call.method == method
    assert told in text_of(call)


def test_a_workspace_without_voices_is_told_who_can_mend_it(slack: World) -> None:
    slack.slacks["T3"] = slack.slack
    (call,) = slack.run(check(), tenant=Tenant("T3"))
    assert "no voices yet" in text_of(call)


def test_a_draft_without_a_sentence_to_judge_says_so(slack: World) -> None:
    (call,) = slack.run(check(text="Hm."))
    assert "Not judged" in text_of(call)
    (call,) = slack.run(check(text="Hm.", reply=ToWorkflow("Fx1")))
    assert call.method == "functions.completeError"
    assert "Not judged" in call.arguments["error"]


# --- the brand ----------------------------------------------------------------------------------


def test_the_brand_is_the_named_one_else_the_nearest_setting(slack: World) -> None:
    settings = slack.store.settings
    settings.set_user_brand(HERE, "UANN", "varnholt-pumps")
    assert "your own brand" in text_of(slack.run(check(brand=None))[0])
    settings.set_channel_brand(HERE, "C1", "quillpot", "UBOSS")
    by_channel = text_of(slack.run(check(brand=None))[0])
    assert "quillpot" in by_channel
    assert "channel" in by_channel
    draft = Pasted(f"---\nbrand: tallowgate-museum\n---\n\n{OFF}", "markdown")
    by_matter = text_of(slack.run(check(brand=None, draft=draft))[0])
    assert "tallowgate-museum" in by_matter
    assert "front matter" in by_matter
    named = text_of(slack.run(check(draft=draft))[0])
    assert ONLY in named
    assert "front matter" not in named


def test_the_only_brand_needs_no_choice(slack: World) -> None:
    (call,) = slack.run(check(brand=None), tenant=ELSEWHERE)
    assert f"not quite {ONLY}" in text_of(call)


@pytest.mark.parametrize("reply", [TO_USER, ToConversation("D1"), ToView("V1", "UANN")])
def test_where_nothing_says_the_brand_the_author_is_asked(slack: World, reply: Reply) -> None:
    (question,) = slack.run(check(brand=None, reply=reply))
    assert Action.PICK_BRAND in buttons(shown(question))
    block = next(b for b in shown(question)["blocks"] if b.get("block_id"))
    chosen = check(draft=Sealed(block["block_id"]), reply=reply)
    (answer,) = slack.run(chosen)
    assert "leverage" in text_of(answer), "the draft was kept"
    if answer.method == RESPOND:
        assert answer.arguments["body"]["replace_original"] is True


def test_a_step_of_a_workflow_cannot_be_asked(slack: World) -> None:
    (call,) = slack.run(check(brand=None, reply=ToWorkflow("Fx1")))
    assert call.method == "functions.completeError"
    assert "Which brand" in call.arguments["error"]


def test_a_question_does_not_count_as_a_check_of_any_brand(slack: World) -> None:
    slack.run(check(brand=None))
    assert slack.store.checks.recent(HERE, "UANN") == list(slack.store.privacy.audit(HERE)) == []


def test_a_job_that_is_run_again_is_one_check(slack: World) -> None:
    first = ticket_in(slack, check(), key="job")
    second = ticket_in(slack, check(), key="job", again=True)
    assert len(slack.store.checks.recent(HERE, "UANN")) == 1
    assert slack.store.checks.open(HERE, first) is None
    assert slack.store.checks.open(HERE, second) is not None


# --- versions, gates, labels --------------------------------------------------------------------


def test_a_recheck_tells_the_change(slack: World) -> None:
    before = ticket_in(slack, check())
    (call,) = slack.run(check(text=FINE, previous=before))
    assert "since the last version" in text_of(call)
    (call,) = slack.run(check(text=FINE, previous=before, brand="quillpot"))
    assert "since the last version" not in text_of(call), "another brand is no other version"


def test_the_gate_of_the_brand_decides(slack: World) -> None:
    for gate, verdict in ((0.01, "forward"), (0.99, "review")):
        settings = BrandSettings("quillpot", gate=gate)
        slack.store.settings.set_brand(HERE, settings, "UBOSS")
        (call,) = slack.run(check(text=FINE, brand="quillpot", reply=ToWorkflow("Fx1")))
        assert call.arguments["outputs"]["verdict"] == verdict


def test_a_draft_is_kept_for_as_long_as_the_workspace_wishes(slack: World) -> None:
    slack.run(check())
    assert [past.ticket for past in slack.store.checks.recent(HERE, "UANN")] == [None]
    settings = WorkspaceSettings(retention_days=7)
    slack.store.settings.set_workspace(HERE, settings, "UBOSS")
    ticket = ticket_in(slack, check())
    assert slack.store.checks.recent(HERE, "UANN")[0].ticket == ticket


def test_a_job_that_was_taken_over_says_so(slack: World) -> None:
    (call,) = slack.run(check(), again=True)
    assert "Again" in text_of(call)
    assert "Again" not in text_of(slack.run(check())[0])
