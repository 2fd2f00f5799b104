"""Whatever Slack, or somebody with its secret, sends: an answer, no failure, not a word logged."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from slack_inbound import CHANNEL, FORM, JSON, TEAM, USER, Inbound

from onbrand_slack.intake.reading import read
from onbrand_slack.listeners import LISTENERS

MARK = "Zyzzogeton-sings"
IDS = sorted({str(one.name) for one in LISTENERS} | {"theirs", "details_view"})
TYPES = (
    *("event_callback", "block_actions", "block_suggestion", "view_submission", "view_closed"),
    *("shortcut", "message_action", "interactive_message", "url_verification", "app_rate_limited"),
)
KEYS = (
    *("type", "command", "text", "event", "event_id", "authorizations", "team", "team_id", "user"),
    *("enterprise", "id", "channel", "actions", "action_id", "block_id", "value", "view", "state"),
    *("values", "callback_id", "private_metadata", "message", "files", "blocks", "container"),
    *("selected_option", "selected_users", "function", "inputs", "tokens", "bot", "payload"),
)

words = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "\x00", "\ud800", "\u202e", "<!channel>", "&amp;", "use x", "help", "payload"]
    ),
    st.integers(20_000, 50_000).map(lambda length: "A" * length),
)
texts = st.builds(lambda before, after: f"{before}{MARK}{after}", words, words)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.sampled_from([*IDS, TEAM])
)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), texts), inner, max_size=4),
    ),
    max_leaves=12,
)

_VIEW = {"id": "V1", "type": "modal", "callback_id": "check_view", "private_metadata": "c1.k#0"}
_CHOSEN = {"brand": {"brand": {"selected_option": {"value": "acme"}}}}
_ACTION = {"action_id": "label_on", "block_id": "b", "value": "c1.k#1"}
_MESSAGE = {"ts": "1.1", "text": MARK, "blocks": [{"type": "actions", "elements": [_ACTION]}]}
_PRESSED = {"channel": {"id": CHANNEL}, "container": {"channel_id": CHANNEL, "message_ts": "1.1"}}
_SAID = {"channel": CHANNEL, "user": USER, "ts": "1.1", "text": MARK, "files": [{"id": "F1"}]}
_STEP = {"function": {"callback_id": "check_copy"}, "function_execution_id": "Fx1"}
EVENTS: list[dict[str, Any]] = [
    {"type": "app_mention", **_SAID, "thread_ts": "1.0"},
    {"type": "message", "channel_type": "im", **_SAID, "blocks": [{"type": "rich_text"}]},
    {"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "home"},
    {"type": "function_executed", **_STEP, "inputs": {"text": MARK, "brand": "acme"}},
    {"type": "tokens_revoked", "tokens": {"bot": ["U0"]}},
    {"type": "app_uninstalled"},
]
INTERACTIONS: list[dict[str, Any]] = [
    *(
        {"type": "block_actions", "actions": [{**_ACTION, "action_id": name}], **_PRESSED}
        for name in IDS
    ),
    {"type": "block_actions", "actions": [_ACTION], "view": _VIEW, "message": _MESSAGE},
    {"type": "block_suggestion", "action_id": "brand", "value": MARK},
    *(
        {"type": "view_submission", "view": {**_VIEW, "callback_id": name, "state": _CHOSEN}}
        for name in ("check_view", "reason_view", "settings_view", "brand_settings_view")
    ),
    {"type": "shortcut", "callback_id": "check_draft"},
    {
        "type": "message_action",
        "callback_id": "check_message",
        "channel": {"id": CHANNEL},
        "message": _MESSAGE,
    },
]


@pytest.fixture(scope="module", params=["http", "socket"])
def slack(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Inbound]:
    inbound = Inbound(tmp_path_factory.mktemp("slack"), request.param)
    inbound.app._desk._pool = Inline()  # type: ignore[assignment]
    yield inbound
    inbound.close()


class Inline:
    """Runs at once what would be run beside the answer."""

    def submit(self, work: Any) -> None:
        work()

    def shutdown(self, **_: Any) -> None: ...


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a request of Slack's in which something is not what it should be, or is missing."""
    slack = Inbound.__new__(Inbound)
    slack._numbers = iter(range(1, 1000))  # type: ignore[assignment]
    whole: dict[str, Any] = draw(
        st.one_of(
            st.sampled_from(EVENTS).map(slack.envelope),
            st.sampled_from(INTERACTIONS).map(slack.interaction),
            st.just(slack.command_payload(MARK)),
        )
    )
    whole = copy.deepcopy(whole)
    for _ in range(draw(st.integers(0, 3))):
        _damage(draw, whole)
    return whole


def _damage(draw: st.DrawFn, node: Any) -> None:
    """Replace or remove something, somewhere."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and draw(st.booleans()):
            node = node[key]
            continue
        if draw(st.booleans()):
            node[key] = draw(anything)
        elif isinstance(node, dict):
            del node[key]
        return


def check(slack: Inbound, body: bytes, content_type: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    before = waiting(slack)
    if slack.config.transport == "http":
        answer = slack.post(body, content_type)
    else:
        text = body.decode("utf-8", "replace")
        answer = slack.push(json.loads(text) if content_type == JSON else text)
    assert answer.status < 500
    if answer.status != 200:
        assert waiting(slack) == before
    told = [str(record.__dict__) for record in caplog.records]
    assert MARK not in "".join(told)
    assert [line for line in told if "'levelname': 'ERROR'" in line] == []


def waiting(slack: Inbound) -> int:
    return slack.store.jobs.waiting("score") + slack.store.jobs.waiting("post")


relaxed = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@relaxed
@given(payload=damaged())
def test_a_damaged_request(
    slack: Inbound, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    check(slack, json.dumps(payload).encode(), JSON, caplog)


@relaxed
@given(payload=damaged())
def test_a_damaged_form(
    slack: Inbound, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    fields = payload if "command" in payload else {"payload": json.dumps(payload)}
    check(slack, urlencode(fields, errors="replace").encode(), FORM, caplog)


@relaxed
@given(
    payload=st.dictionaries(st.sampled_from(KEYS), anything, max_size=6),
    kind=st.sampled_from(TYPES),
)
def test_any_json(
    slack: Inbound, payload: dict[str, Any], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    check(slack, json.dumps({**payload, "type": kind}).encode(), JSON, caplog)


@relaxed
@given(body=st.one_of(st.binary(max_size=200), texts.map(lambda t: t.encode("utf-8", "replace"))))
@example(body=b"payload=%00")
@example(body=b"payload=%7B%22type%22%3A%22block_actions%22%7D&payload=5")
@example(body=b"&".join(b"a%d=1" % number for number in range(200)))
@example(body=b"command=%2Fonbrand&user_id=U1&channel_id=C1&team_id=T1&text=%ff%fe")
def test_any_bytes(slack: Inbound, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    check(slack, body, FORM, caplog)


@relaxed
@given(text=st.text(max_size=200))
@example(text="payload={}")
@example(text="The payload is up & running = 100 %, isn't it?")
def test_every_draft_of_a_command_arrives(text: str) -> None:
    fields = {"command": "/onbrand", "user_id": USER, "channel_id": CHANNEL, "text": text}
    incoming = read(urlencode(fields, errors="replace"), FORM)
    assert incoming.kind == "command"
    assert getattr(incoming.payload, "text", None) == text.encode("utf-8", "replace").decode()
