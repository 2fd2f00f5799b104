"""What happens when Slack sends something: one table, which the manifest is checked against.

A listener reads what was sent, queues a request, and returns what Slack is to show at once. It
never waits for Slack or for a score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from onbrand_slack.intake.guard import Sent
from onbrand_slack.listeners import (
    actions,
    commands,
    events,
    forms,
    options,
    shortcuts,
    submissions,
)
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.names import BRAND_PICKERS, COMMAND, Action, Shortcut, Step, View
from onbrand_slack.work.calls import Payload

Kind = Literal[
    "command",
    "event",
    "function",
    "message shortcut",
    "global shortcut",
    "view",
    "action",
    "options",
]


@dataclass(frozen=True, slots=True)
class Listener:
    """Who takes what."""

    kind: Kind
    name: str
    """Of the command, event or step; the callback id; or the action id."""
    run: Callable[[Sent[Any], Desk], Payload | None]
    """Returns the body of the acknowledgement, if it is to have one."""


_ACTIONS: dict[Action, Callable[[Sent[Any], Desk], Payload | None]] = {
    Action.DETAILS: forms.details,
    Action.SHARE: forms.share,
    Action.SEND_TO_REVIEW: actions.send_to_review,
    Action.RECHECK: forms.recheck,
    Action.REPORT: actions.report,
    Action.PICK_BRAND: actions.pick_brand,
    Action.LABEL_ON: actions.label_on,
    Action.LABEL_OFF: actions.label_off,
    Action.PREVIOUS_PAGE: forms.turn_page,
    Action.NEXT_PAGE: forms.turn_page,
    Action.APPROVE: actions.approve,
    Action.REJECT: forms.reject,
    Action.ASK_FOR_CHANGES: forms.ask_for_changes,
    Action.REOPEN: actions.reopen,
    Action.HOME_CHECK: forms.new_check,
    Action.HOME_BRAND: actions.own_brand,
    Action.HOME_SETTINGS: forms.settings,
    Action.HOME_BRAND_SETTINGS: forms.brand_settings,
    Action.HOME_OPEN_CHECK: forms.details,
    Action.HOME_FORGET_ME: actions.forget_me,
    Action.HOME_AUDIT: actions.audit,
}
"""What can be pressed; all other actions are inputs, which count when their modal is submitted."""

LISTENERS = (
    Listener("command", COMMAND, commands.typed),
    Listener("event", "app_mention", events.mentioned),
    Listener("event", "message", events.written),
    Listener("event", "app_home_opened", events.home_opened),
    Listener("event", "app_uninstalled", events.uninstalled),
    Listener("event", "tokens_revoked", events.uninstalled),
    Listener("function", Step.CHECK_COPY, events.step_reached),
    Listener("message shortcut", Shortcut.CHECK_MESSAGE, shortcuts.check_message),
    Listener("global shortcut", Shortcut.CHECK_DRAFT, forms.new_check),
    Listener("view", View.CHECK, submissions.check),
    Listener("view", View.REASON, submissions.reason),
    Listener("view", View.SETTINGS, submissions.settings),
    Listener("view", View.BRAND_SETTINGS, submissions.brand_settings),
    *(Listener("action", name, _ACTIONS.get(name, actions.entered)) for name in Action),
    *(Listener("options", name, options.brands) for name in BRAND_PICKERS),
)
"""Every listener of the app."""
