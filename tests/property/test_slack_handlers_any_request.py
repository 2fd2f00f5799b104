"""Whatever is asked, Slack takes the answer; whatever is pressed, the last word of each counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_world import (
    ELSEWHERE,
    HERE,
    HOOK,
    OFF,
    ONLY,
    World,
    buttons,
    scoring_of,
    shown,
    text_of,
    ways,
    world,
)

from onbrand import Encoder
from onbrand_slack.answer import BrandSettings
from onbrand_slack.model import (
    Check,
    Configure,
    Decide,
    Label,
    Pasted,
    Say,
    Sealed,
    SendReport,
    SendToReview,
    SentenceRef,
    Share,
    Source,
    ToConversation,
    ToUser,
    ToView,
    ToWorkflow,
)
from onbrand_slack.names import Action
from onbrand_slack.store.sealing import HeldDraft

PRESSED = ToUser("C1", "UANN", response_url=HOOK)
REPLIES = st.sampled_from(
    [PRESSED, ToConversation("D1"), ToView("V1", "UANN"), ToWorkflow("Fx1", "C1")]
)
TEXT = st.text(max_size=300) | st.text("<!channel> *_`~&@U1|#\n\u202e\ud800-", max_size=300)
UNHURRIED = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def slack(
    encoder: Encoder, example_voices: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    scoring = scoring_of(encoder, example_voices, tmp_path_factory.mktemp("voices"))
    with world(tmp_path_factory.mktemp("store"), scoring) as made:
        made.store.settings.set_brand(HERE, BrandSettings(ONLY, review_channel="CREV"), "UBOSS")
        yield made


@pytest.fixture(scope="module")
def ticket(slack: World) -> str:
    (call,) = slack.run(Check("UANN", Source.COMMAND, Pasted(OFF), PRESSED, brand=ONLY))
    return buttons(shown(call))[Action.DETAILS]


@pytest.fixture(scope="module")
def held(slack: World) -> str:
    draft = HeldDraft(Pasted(OFF), Source.COMMAND)
    return slack.store.checks.hold(HERE, "UANN", draft)


@UNHURRIED
@given(TEXT, st.sampled_from(["text", "markdown", "html"]), REPLIES)
def test_any_draft_is_answered_once_in_a_way_that_slack_takes(
    slack: World, text: str, format_: str, reply: object
) -> None:
    (call,) = slack.run(Check("UANN", Source.COMMAND, Pasted(text, format_), reply, brand=ONLY))
    assert all("<!channel>" not in str((shown(way) or {}).get("text")) for way in ways(call))


@UNHURRIED
@given(st.data())
def test_no_made_up_id_opens_anything_of_another_workspace(
    slack: World, ticket: str, held: str, data: st.DataObject
) -> None:
    ids = st.sampled_from([ticket, held, f"{ticket}#0", ticket.partition(".")[0]]) | TEXT
    one, two, reply = data.draw(ids), data.draw(ids), data.draw(REPLIES)
    requests = [
        Check("UEVE", Source.COMMAND, Sealed(one), reply, brand=ONLY, previous=two),
        Label("UEVE", one, "on", reply),
        Share("UEVE", one, "C1", None, reply),
        SendReport("UEVE", one, reply),
        SendToReview("UEVE", one, reply),
        Decide("UEVE", one, "approve", two, reply, ticket=two),
        Say("UEVE", "use", reply, None, one),
        Configure("UEVE", {str(Action.BRAND): one}, personal=True),
    ]
    for request in requests:
        for call in slack.run(request, tenant=ELSEWHERE):
            assert all("leverage" not in text_of(way) for way in ways(call))
    assert slack.services.labels.workspace(ELSEWHERE.workspace).history() == []
    assert slack.store.reviews.waiting(ELSEWHERE) == []


PRESS = st.tuples(
    st.integers(0, 5), st.sampled_from(["UANN", "UBEN"]), st.sampled_from(["on", "off"])
)


@settings(UNHURRIED, max_examples=15)  # each has many requests
@given(st.lists(PRESS, max_size=12))
def test_presses_that_come_twice_count_once_and_the_last_word_of_each_counts(
    slack: World, presses: list[tuple[int, str, str]]
) -> None:
    text = f"{OFF} {slack.job(Say('U', 'help', PRESSED)).id}."  # labels are by text
    (call,) = slack.run(Check("UANN", Source.COMMAND, Pasted(text), PRESSED, brand=ONLY))
    sentence = str(SentenceRef(buttons(shown(call))[Action.DETAILS], 0))
    labels = slack.services.labels.workspace(HERE.workspace)
    labels.forget("UANN")
    labels.forget("UBEN")
    keys, last = set(), {}
    for key, user, side in presses:
        slack.run(Label(user, sentence, side, PRESSED), key=f"{call.arguments}{key}"[-40:] + user)
        if (key, user) not in keys:
            last[user] = side
        keys.add((key, user))
    said = [label for label in labels.current(ONLY) if label.votes_on or label.votes_off]
    votes = {"on": 0, "off": 0} | {s: list(last.values()).count(s) for s in ("on", "off")}
    assert [(one.votes_on, one.votes_off) for one in said] == (
        [tuple(votes.values())] if last else []
    )
