"""The shapes of what Slack sends: all that is read of it, checked, and nothing else.

Lenient about what Slack leaves out and about what it adds; strict about what we use, so that no
listener meets a missing key, a number for an id, or an id that is no id.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Json = dict[str, Any]
Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]
Ts = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}(\.[0-9]{1,20})?\Z")]
Name = Annotated[str, msgspec.Meta(max_length=255)]
"""An action id, block id or callback id: ours, or any other app's."""


class Ref(msgspec.Struct, frozen=True):
    """Something that is named by its id only."""

    id: Id


class Team(msgspec.Struct, frozen=True):
    """A workspace, in an interaction."""

    id: Id | None = None
    enterprise_id: Id | None = None


class User(msgspec.Struct, frozen=True):
    """Who did something, in an interaction."""

    id: Id
    team_id: Id | None = None
    """Their home: a workspace's id, or an organisation's."""


class Option(msgspec.Struct, frozen=True):
    """A chosen option."""

    value: str | None = None


class View(msgspec.Struct, frozen=True):
    """A modal or App Home."""

    id: Id
    type: str = "modal"
    callback_id: Name = ""
    private_metadata: str = ""
    app_installed_team_id: Id | None = None


# --- what arrives ----------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True):
    """A slash command."""

    command: str
    user_id: Id
    channel_id: Id
    team_id: Id | None = None
    enterprise_id: Id | None = None
    api_app_id: Id | None = None
    text: str = ""
    response_url: str | None = None


class Interaction(msgspec.Struct, frozen=True):
    """Base of what a user does with what we show."""

    user: User
    team: Team | None = None
    enterprise: Ref | None = None
    api_app_id: Id | None = None
    trigger_id: str = ""
    view: View | None = None
    raw: Json = {}
    """The interaction as it came, for the readers of modals."""


class GlobalShortcut(Interaction, frozen=True, kw_only=True):
    """A shortcut that was started anywhere."""

    callback_id: Name


class Quoted(msgspec.Struct, frozen=True):
    """The message on which a shortcut was started; its text is in `Interaction.raw`."""

    files: list[Ref] = []


class MessageShortcut(Interaction, frozen=True, kw_only=True):
    """A shortcut that was started on a message."""

    callback_id: Name
    channel: Ref
    message: Quoted
    message_ts: Ts | None = None
    response_url: str | None = None


class Submission(Interaction, frozen=True, kw_only=True):
    """A modal that was submitted."""

    view: View


class Pressed(msgspec.Struct, frozen=True):
    """A button that was pressed, or a select in which something was chosen."""

    action_id: Name
    block_id: Name = ""
    value: str | None = None
    selected_option: Option | None = None
    selected_conversation: Id | None = None

    @property
    def chosen(self) -> str:
        """The value of the button or of the option; empty where there is none."""
        return (self.selected_option or self).value or ""


class Container(msgspec.Struct, frozen=True):
    """What a pressed button stands in."""

    channel_id: Id | None = None
    message_ts: Ts | None = None
    thread_ts: Ts | None = None
    is_ephemeral: bool = False


class Actions(Interaction, frozen=True, kw_only=True):
    """Something was pressed or chosen."""

    actions: Annotated[list[Pressed], msgspec.Meta(min_length=1)]
    container: Container = Container()
    channel: Ref | None = None
    response_url: str | None = None

    @property
    def pressed(self) -> Pressed:
        """What was pressed: Slack sends one at a time."""
        return self.actions[0]


class Suggestion(Interaction, frozen=True, kw_only=True):
    """An external select asks for its options."""

    action_id: Name
    value: str = ""


class Challenge(msgspec.Struct, frozen=True):
    """Slack asks whether a URL is ours."""

    challenge: str = ""


class RateLimited(msgspec.Struct, frozen=True):
    """Slack holds events back, because a workspace had more than 30,000 in an hour."""

    team_id: Id | None = None
    api_app_id: Id | None = None
    minute_rate_limited: int = 0


# --- events ----------------------------------------------------------------------------------


class Said(msgspec.Struct, frozen=True):
    """A message to the app: a mention or a direct message."""

    channel: Id
    ts: Ts
    user: Id | None = None
    """None for some messages of Slack itself."""
    thread_ts: Ts | None = None
    channel_type: str = ""
    subtype: str | None = None
    bot_id: str | None = None
    hidden: bool = False
    files: list[Ref] = []
    raw: Json = {}
    """The message as it came, for the reader of rich text."""


class HomeOpened(msgspec.Struct, frozen=True):
    """A user looks at the app's home or at its messages."""

    user: Id
    channel: Id
    tab: str = "home"


class StepInputs(msgspec.Struct, frozen=True):
    """What a workflow gives its step."""

    text: str | None = None
    brand: str | None = None
    report_to: Id | None = None
    report_to_user: Id | None = None


class Function(msgspec.Struct, frozen=True):
    """Which step of ours."""

    callback_id: Name


class FunctionExecuted(msgspec.Struct, frozen=True):
    """A workflow has come to our step."""

    function: Function
    function_execution_id: Id
    inputs: StepInputs = StepInputs()


class Uninstall(msgspec.Struct, frozen=True):
    """The app was removed from a workspace."""


class Revoked(msgspec.Struct, frozen=True):
    """Tokens by kind: the ids of the users that they stood for."""

    bot: list[str] = []
    oauth: list[str] = []


class TokensRevoked(msgspec.Struct, frozen=True):
    """Tokens of the app do not work any more."""

    tokens: Revoked = Revoked()


Event = Said | HomeOpened | FunctionExecuted | Uninstall | TokensRevoked


class Authorization(msgspec.Struct, frozen=True):
    """An installation that an event is for."""

    team_id: Id | None = None
    enterprise_id: Id | None = None


class Envelope(msgspec.Struct, frozen=True):
    """An event and for whom it is."""

    event_id: Id
    event: Json
    team_id: Id | None = None
    enterprise_id: Id | None = None
    context_team_id: Id | None = None
    context_enterprise_id: Id | None = None
    is_ext_shared_channel: bool = False
    authorizations: list[Authorization] | None = None
    api_app_id: Id | None = None


EVENTS: dict[str, type[Event]] = {
    "app_mention": Said,
    "message": Said,
    "app_home_opened": HomeOpened,
    "function_executed": FunctionExecuted,
    "app_uninstalled": Uninstall,
    "tokens_revoked": TokensRevoked,
}
"""Events that are listened to, by their type."""

INTERACTIONS: dict[str, type[Interaction]] = {
    "shortcut": GlobalShortcut,
    "message_action": MessageShortcut,
    "view_submission": Submission,
    "block_actions": Actions,
    "block_suggestion": Suggestion,
}
"""Interactions that are listened to, by their type."""

Payload = Command | Interaction | Event | Challenge | RateLimited
"""What is told apart; an event without its envelope."""
