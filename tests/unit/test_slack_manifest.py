"""The manifest says what the code does: no more, no less."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

import onbrand_slack
from onbrand_slack.intake.payloads import StepInputs
from onbrand_slack.listeners import LISTENERS
from onbrand_slack.manifest import SCOPES, manifest, text
from onbrand_slack.names import COMMAND, Shortcut, Step
from onbrand_slack.render import words

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests/data/slack/app-manifest.schema.json").read_text("utf-8"))
SOURCE = Path(onbrand_slack.__file__).parent
URL = "https://onbrand.example.com"

METHODS: dict[str, set[str]] = {
    "assistant.threads.setStatus": {"assistant:write"},
    "assistant.threads.setSuggestedPrompts": {"assistant:write"},
    "auth.test": set(),
    "chat.getPermalink": set(),
    "chat.delete": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "conversations.open": {"im:write"},
    "conversations.replies": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "files.completeUploadExternal": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "files.info": {"files:read"},
    "files.upload": {"files:write"},  # the poster's name for the two methods above
    "functions.completeError": set(),
    "functions.completeSuccess": set(),
    "users.info": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.push": set(),
    "views.update": set(),
}
"""Methods of the Web API that the app may call, and what they need."""
EVENTS: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "function_executed": set(),
    "message.im": {"im:history"},
    "tokens_revoked": set(),
}
FAMILIES = (
    "admin|apps|assistant|auth|bookmarks|bots|calls|canvases|chat|conversations|dnd|emoji|files"
    "|functions|lists|pins|reactions|reminders|search|stars|team|usergroups|users|views|workflows"
)
"""What methods of the Web API begin with."""
ALWAYS = {"commands"}
"""For the slash command and the shortcuts."""


def methods_called() -> set[str]:
    """Return the methods of the Web API that the source names, as data or as calls."""
    source = "\n".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    named = re.findall(rf'"((?:{FAMILIES})\.[A-Za-z.]+)"', source)
    called = re.findall(rf"(?:client|\))\.((?:{FAMILIES})_[A-Za-z0-9_]+)", source)
    return {*named, *map(_method, called)}


def _method(name: str) -> str:
    """Return a method's name from that of the SDK's: ``files_upload_v2`` from a family."""
    return "files.upload" if name == "files_upload_v2" else name.replace("_", ".")


@pytest.mark.parametrize(("url", "socket_mode"), [(None, True), (URL, False), (f"{URL}/", False)])
def test_slack_would_take_it(url: str | None, socket_mode: bool) -> None:
    made = manifest(url=url, socket_mode=socket_mode)
    assert list(validator_for(SCHEMA)(SCHEMA).iter_errors(made)) == []


def test_the_file_to_paste_is_of_this_code() -> None:
    """Mend: python -m onbrand_slack.manifest > slackbot/manifest.json."""
    stored = (ROOT / "slackbot" / "manifest.json").read_text("utf-8")
    assert stored == text(url=None, socket_mode=True)


def test_socket_mode_needs_no_url() -> None:
    made = manifest(url=None, socket_mode=True)
    assert "url" not in json.dumps(made).replace("redirect_urls", "")
    assert made["settings"]["socket_mode_enabled"] is True


def test_over_http_every_request_goes_to_one_address() -> None:
    made = manifest(url=f"{URL}/", socket_mode=False)
    endpoint = f"{URL}/slack/events"
    assert made["features"]["slash_commands"][0]["url"] == endpoint
    assert made["settings"]["event_subscriptions"]["request_url"] == endpoint
    assert made["settings"]["interactivity"] == {
        "is_enabled": True,
        "request_url": endpoint,
        "message_menu_options_url": endpoint,
    }
    assert made["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]
    assert made["settings"]["socket_mode_enabled"] is False


# --- against the listeners -------------------------------------------------------------------


@pytest.fixture
def made() -> dict[str, Any]:
    return manifest(url=URL, socket_mode=False)


def listened(kind: str) -> set[str]:
    return {str(one.name) for one in LISTENERS if one.kind == kind}


def test_commands(made: dict[str, Any]) -> None:
    (command,) = made["features"]["slash_commands"]
    assert {command["command"]} == listened("command") == {COMMAND}
    assert command["should_escape"] is True


def test_shortcuts(made: dict[str, Any]) -> None:
    kinds = {one["callback_id"]: one["type"] for one in made["features"]["shortcuts"]}
    assert kinds == {Shortcut.CHECK_MESSAGE: "message", Shortcut.CHECK_DRAFT: "global"}
    for kind in ("message", "global"):
        assert {one for one in kinds if kinds[one] == kind} == listened(f"{kind} shortcut")


def test_events(made: dict[str, Any]) -> None:
    events = made["settings"]["event_subscriptions"]["bot_events"]
    arriving = {event.partition(".")[0] for event in events} - {"function_executed"}
    assert arriving == listened("event")
    assert ("function_executed" in events) == bool(listened("function"))
    assert set(events) == set(EVENTS), "add a new event here, with the scope that it needs"


def test_steps(made: dict[str, Any]) -> None:
    assert set(made["functions"]) == listened("function") == set(Step)
    step = made["functions"][Step.CHECK_COPY]
    assert set(step["input_parameters"]) == set(StepInputs.__struct_fields__)
    assert set(step["output_parameters"]) == {"verdict", "probability", "report_link"}
    for parameters in (step["input_parameters"], step["output_parameters"]):
        assert all(name == one["name"] for name, one in parameters.items())


def test_options_have_an_address(made: dict[str, Any]) -> None:
    assert bool(listened("options")) == (
        "message_menu_options_url" in made["settings"]["interactivity"]
    )


def test_prompts_are_those_that_the_app_offers_itself(made: dict[str, Any]) -> None:
    assert made["features"]["agent_view"]["suggested_prompts"] == words.prompts([])


# --- scopes ----------------------------------------------------------------------------------


def test_every_scope_is_needed_and_none_is_missing(made: dict[str, Any]) -> None:
    called = methods_called()
    assert called <= set(METHODS), "add a new method here, with the scopes that it needs"
    needed = set().union(*(METHODS[name] for name in called))
    needed = needed.union(*(EVENTS[name] for name in EVENTS), ALWAYS)
    assert set(made["oauth_config"]["scopes"]["bot"]) == needed == set(SCOPES)


def test_the_methods_that_the_code_calls_are_found() -> None:
    """The reader of the source sees both ways to write a call."""
    called = methods_called()
    assert {"chat.postMessage", "views.open", "users.info", "conversations.replies"} <= called


def test_every_scope_has_a_reason() -> None:
    assert all(reason and not reason.endswith(".") for reason in SCOPES.values())
    assert list(SCOPES) == sorted(SCOPES)
