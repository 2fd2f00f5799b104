"""The inputs of modals: how each is shown, and how what was entered is read.

Slack sends back ``{block id: {action id: value}}``; both ids are the input's `Action`. A reader
answers None for what is missing or of another type: whoever can sign a request can send anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from onbrand.report.message import to_avoid
from onbrand.results import is_brand
from onbrand_slack.names import AVOIDED, NO_BRAND, Action
from onbrand_slack.render.elements import option, plain
from onbrand_slack.work.calls import Payload

Value = str | int | float | bool | list[str] | None
LONGEST = 3000
"""Characters that Slack's text inputs can hold."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What a modal's inputs say; ``values`` count only where there are no errors."""

    values: dict[str, Value] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """By block id, for ``response_action="errors"``."""


# --- showing ----------------------------------------------------------------------------------


def text_box(
    action: Action, *, initial: str | None = None, placeholder: str = "", longest: int = LONGEST
) -> Payload:
    """Return a box of several lines."""
    made = {
        "type": "plain_text_input",
        "action_id": str(action),
        "multiline": True,
        "max_length": longest,
    }
    if initial:
        made["initial_value"] = initial
    return made | _placeholder(placeholder)


def number_box(
    action: Action, *, low: float, high: float, initial: float | None = None, placeholder: str = ""
) -> Payload:
    """Return a box for a number with decimals."""
    made: Payload = {
        "type": "number_input",
        "action_id": str(action),
        "is_decimal_allowed": True,
        "min_value": f"{low:g}",
        "max_value": f"{high:g}",
    }
    if initial is not None:
        made["initial_value"] = f"{initial:g}"
    return made | _placeholder(placeholder)


def choice(action: Action, options: Mapping[str, str], chosen: str) -> Payload:
    """Return a menu; ``options`` are texts by value, ``chosen`` is the value selected at first."""
    return {
        "type": "static_select",
        "action_id": str(action),
        "options": [option(text, value) for value, text in options.items()],
        "initial_option": option(options[chosen], chosen),
    }


def tick_box(action: Action, text: str, *, ticked: bool) -> Payload:
    """Return a single box to tick."""
    made: Payload = {
        "type": "checkboxes",
        "action_id": str(action),
        "options": [option(text, "yes")],
    }
    return made | ({"initial_options": [option(text, "yes")]} if ticked else {})


def channel_box(action: Action, initial: str | None, placeholder: str) -> Payload:
    """Return a menu of channels; those shared with other companies are left out."""
    made: Payload = {
        "type": "conversations_select",
        "action_id": str(action),
        "filter": {"include": ["public", "private"], "exclude_external_shared_channels": True},
    }
    if initial:
        made["initial_conversation"] = initial
    return made | _placeholder(placeholder)


def people_box(action: Action, initial: Sequence[str], placeholder: str) -> Payload:
    """Return a menu of people, several of whom can be chosen."""
    made: Payload = {"type": "multi_users_select", "action_id": str(action)}
    if initial:
        made["initial_users"] = list(initial)
    return made | _placeholder(placeholder)


def file_box(action: Action, endings: Sequence[str], most: int) -> Payload:
    """Return a place to drop files."""
    return {
        "type": "file_input",
        "action_id": str(action),
        "filetypes": list(endings),
        "max_files": most,
    }


def _placeholder(text: str) -> Payload:
    return {"placeholder": plain(text, 150)} if text else {}


# --- reading ----------------------------------------------------------------------------------


class State:
    """What was entered in a modal, by `Action`."""

    def __init__(self, view: object) -> None:
        self._values = _get(view, "state", "values")

    def __contains__(self, action: Action) -> bool:
        """Say whether the modal has this input."""
        return isinstance(_get(self._values, action, action), dict)

    def text(self, action: Action) -> str:
        """Return what was typed, trimmed."""
        value = _get(self._values, action, action, "value")
        return value.strip() if isinstance(value, str) else ""

    def chosen(self, action: Action) -> str | None:
        """Return the value of the option chosen in a menu."""
        return _string(_get(self._values, action, action, "selected_option", "value"))

    def channel(self, action: Action) -> str | None:
        """Return the channel chosen."""
        return _string(_get(self._values, action, action, "selected_conversation"))

    def people(self, action: Action) -> list[str]:
        """Return the users chosen."""
        return _strings(_get(self._values, action, action, "selected_users"))

    def ticked(self, action: Action) -> bool:
        """Say whether a box is ticked."""
        return bool(_get(self._values, action, action, "selected_options"))

    def files(self, action: Action) -> list[str]:
        """Return the ids of the files dropped."""
        files = _get(self._values, action, action, "files")
        return _strings([_get(file, "id") for file in files] if isinstance(files, list) else None)


def brand_option(brand: str) -> Payload:
    """Return a brand, or what is judged by instead of one, as a choice of a select."""
    if is_brand(brand):
        return option(brand, brand)
    return option(f"No brand: must not read like {to_avoid(brand)}", AVOIDED)


def brand_or_none(chosen: str | None) -> str | None:
    """Return the brand that was chosen where "No brand" is an option, too."""
    return None if chosen in (None, "", NO_BRAND) else chosen


def _get(node: object, *keys: str) -> object:
    for key in keys:
        node = node.get(str(key)) if isinstance(node, dict) else None
    return node


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _strings(value: object) -> list[str]:
    return [item for item in value if _string(item)] if isinstance(value, list) else []


# --- what a modal remembers -------------------------------------------------------------------


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A modal's private metadata: ids, never text."""

    ticket: str | None = None
    channel: str | None = None
    brand: str | None = None
    review: str | None = None
    decision: str | None = None

    def __str__(self) -> str:
        """Return it as Slack keeps it."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, view: object) -> Remembered:
        """Read it from a view; an empty one where it is not ours."""
        try:
            return msgspec.json.decode(_string(_get(view, "private_metadata")) or "{}", type=cls)
        except (msgspec.MsgspecError, UnicodeError):
            return cls()
