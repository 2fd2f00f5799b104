"""Judges all that the app sent to a Slack of the tests' own: would Slack take it?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from block_kit import problems
from slack_peer import ApiCall
from slack_web_api import Payload

MESSAGES = ("chat.postMessage", "chat.postEphemeral", "chat.update", "response_url")
NOT_OF_A_MESSAGE = ("url", "token")


def payload_of(call: ApiCall) -> Payload | None:
    """Return the message or view of a call; None where it has none."""
    if call.method in MESSAGES:
        return {key: call.arguments[key] for key in call.arguments.keys() - NOT_OF_A_MESSAGE}
    if call.method.startswith("views."):
        view = call.arguments.get("view", {})
        return dict(json.loads(view) if isinstance(view, str) else view)
    return None


def refusals(calls: Iterable[ApiCall]) -> list[str]:
    """Return why Slack would refuse messages, views, files or outputs among the calls."""
    return [f"{call.method}: {problem}" for call in list(calls) for problem in _problems(call)]


def _problems(call: ApiCall) -> Iterator[str]:
    payload = payload_of(call)
    if payload is not None and not payload.get("delete_original"):
        yield from problems(payload)
    if call.method == "assistant.threads.setSuggestedPrompts":
        prompts = call.arguments.get("prompts", [])
        if not 1 <= len(prompts) <= 4:
            yield f"{len(prompts)} prompts, Slack takes 1 to 4"
        if not all(prompt.get("title") and prompt.get("message") for prompt in prompts):
            yield "a prompt without title or message"
    if call.method.startswith("functions.") and not call.arguments.get("function_execution_id"):
        yield "a step without its execution's id"
