"""What became of a call to Slack, and what that means for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.error import HTTPError, URLError

from slack_sdk.errors import SlackApiError, SlackRequestError

from onbrand.errors import OnbrandError
from onbrand_slack.work.calls import Payload

_CODE = re.compile(r"[a-z][a-z0-9_]{1,49}")
_SCOPES = re.compile(r"[a-z][a-z:._,]{1,99}")
LONGEST_WAIT = 3600.0
"""Seconds; what Slack asks for beyond it is not believed."""


class Kind(StrEnum):
    """What an outcome means."""

    DELIVERED = "delivered"
    LATER = "later"
    """Nothing is wrong with the call: the same one may well succeed."""
    TOO_LONG = "too_long"
    """Or not to Slack's taste: a simpler rendering may succeed."""
    UNREACHABLE = "unreachable"
    """The place is gone, or closed to us: another place may do."""
    TOKEN_GONE = "token_gone"  # noqa: S105 - no password
    """The workspace has nothing to do with us any more."""
    MISSING_SCOPE = "missing_scope"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call."""

    kind: Kind
    code: str
    """Slack's error code, an HTTP status or the name of an exception: safe to log and to count."""
    retry_after: float | None = None
    """Seconds that Slack asked us to wait."""
    doubtful: bool = False
    """No answer, or none that tells: the call may have been carried out."""
    needed: str = ""
    """The scope that is missing."""
    answer: Payload = field(default_factory=dict, repr=False)


class ResponseUrlError(Exception):
    """A response_url did not take a message. Holds nothing of the message or the address."""

    def __init__(self, status: int, code: str, retry_after: str | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.code = code
        self.retry_after = retry_after


class UnreachableError(OnbrandError):
    """Slack does not answer now; it may later.

    Args:
        code: what happened instead, see `Outcome`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"Slack cannot be reached ({code}); try again")
        self.code = code


class NotInstalledError(OnbrandError):
    """The app has no token for a workspace."""


_LATER = """
    ratelimited rate_limited message_limit_exceeded internal_error fatal_error rollup_error
    service_unavailable request_timeout team_added_to_org timeout operation_timeout
"""
_TOO_LONG = """
    msg_blocks_too_long msg_too_long too_long view_too_large too_many_blocks
    invalid_blocks invalid_blocks_format invalid_block_id invalid_payload
    invalid_attachments too_many_attachments attachment_payload_limit_exceeded
    metadata_too_large comment_too_long
"""
_UNREACHABLE = """
    channel_not_found not_in_channel is_archived channel_is_archived is_inactive invalid_channel
    user_not_in_channel user_not_found user_not_visible user_disabled users_not_found
    cannot_dm_bot messages_tab_disabled no_dual_broadcast_content_update
    restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel
    restricted_action_non_threadable_channel thread_locked thread_not_found
    cannot_reply_to_message posting_to_general_channel_denied action_prohibited
    method_not_supported_for_channel_type channel_type_not_supported message_not_found
    cant_update_message edit_window_closed view_not_found not_found hash_conflict
    expired_trigger_id exchanged_trigger_id invalid_trigger_id trigger_expired trigger_exchanged
    expired_url used_url no_service no_team invalid_token external_channel_migrating
    as_user_not_supported ekm_access_denied access_denied no_permission
"""
_GONE = """
    invalid_auth not_authed token_revoked token_expired account_inactive org_login_required
    team_access_not_granted app_uninstalled bot_not_found team_disabled
"""
_SCOPE = "missing_scope not_allowed_token_type scope_not_allowed_on_enterprise"
_KINDS = {
    code: kind
    for kind, codes in {
        Kind.LATER: _LATER,
        Kind.TOO_LONG: _TOO_LONG,
        Kind.UNREACHABLE: _UNREACHABLE,
        Kind.TOKEN_GONE: _GONE,
        Kind.MISSING_SCOPE: _SCOPE,
    }.items()
    for code in codes.split()
}
_NOT_MADE = ("ratelimited", "rate_limited", "message_limit_exceeded", "service_unavailable")
"""Codes that say for sure that nothing was done."""
_WORDS = {
    Kind.TOO_LONG: "Slack does not take the answer in this form ({}). Try a shorter draft.",
    Kind.UNREACHABLE: (
        "Slack does not let onbrand post in one of the places this should go to ({}). "
        "Invite onbrand to the channel, or choose another one in its settings."
    ),
    Kind.MISSING_SCOPE: (
        "This needs a permission that onbrand does not have ({}). "
        "Ask an admin to install it again with its present manifest."
    ),
    Kind.REFUSED: "Slack refused what this needs ({}). Please tell whoever runs onbrand.",
}


def words(outcome: Outcome) -> str | None:
    """Return what the user is told of a refusal; None where no words can reach them."""
    sentence = _WORDS.get(outcome.kind)
    return None if sentence is None else sentence.format(outcome.needed or outcome.code)


def classify(error: Exception) -> Outcome:
    """Return what an exception out of a call to Slack means.

    Args:
        error: of slack_sdk, of `Clients.respond`, of urllib, or of a client that choked on
            an answer that was none.
    """
    if isinstance(error, SlackApiError):
        return _of_answer(error)
    if isinstance(error, ResponseUrlError):
        # Other refusals of a response_url have one mend: another way to the user.
        kind = Kind.UNREACHABLE if error.status in (403, 404, 410) else Kind.REFUSED
        return _of_status(error.status, error.code, error.retry_after, kind)
    if isinstance(error, HTTPError):
        return _of_status(error.code, "", error.headers.get("Retry-After"))
    name = type(error).__name__
    if isinstance(error, NotInstalledError):
        return Outcome(Kind.TOKEN_GONE, name)
    if isinstance(error, (TypeError, KeyError, SlackRequestError)):
        # Arguments of ours that make no request: time does not mend them.
        return Outcome(Kind.REFUSED, name)
    # urllib wraps what fails before the request is out; all else leaves us in the dark.
    return Outcome(Kind.LATER, name, doubtful=not isinstance(error, URLError))


def retry_after(value: object) -> float | None:
    """Return the seconds of a Retry-After header, None where it is none."""
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT) if seconds >= 0 else None


def _of_answer(error: SlackApiError) -> Outcome:
    response = error.response
    data = response.data
    code = data.get("error") if isinstance(data, Mapping) else None
    headers = {str(name).lower(): value for name, value in response.headers.items()}
    outcome = _of_status(response.status_code, code, headers.get("retry-after"))
    needed = data.get("needed") if outcome.kind is Kind.MISSING_SCOPE else None
    if isinstance(needed, str) and _SCOPES.fullmatch(needed):
        return replace(outcome, needed=needed)
    return outcome


def _of_status(status: int, code: object, wait: object, otherwise: Kind = Kind.REFUSED) -> Outcome:
    known = isinstance(code, str) and _CODE.fullmatch(code) is not None
    name = str(code) if known else f"http_{status}"
    kind = _KINDS.get(name, otherwise)
    if status == 413:
        kind = Kind.TOO_LONG
    # A page in place of JSON comes from something between us and Slack.
    if status == 429 or status >= 500 or (not known and status < 300):
        kind = Kind.LATER
    later = kind is Kind.LATER
    return Outcome(
        kind,
        name,
        retry_after=retry_after(wait) if later else None,
        doubtful=later and status not in (429, 503) and name not in _NOT_MADE,
    )
