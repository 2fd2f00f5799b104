"""Every name that Slack sends back to us: the manifest, the listeners and the messages share it."""

from __future__ import annotations

from enum import StrEnum

COMMAND = "/onbrand"


class Shortcut(StrEnum):
    """Callback ids of shortcuts."""

    CHECK_MESSAGE = "check_message"
    """On a message: "Check brand voice"."""
    CHECK_DRAFT = "check_draft"
    """Anywhere: opens the modal with a draft box."""


class Step(StrEnum):
    """Callback ids of the steps that Workflow Builder offers."""

    CHECK_COPY = "check_copy"


class View(StrEnum):
    """Callback ids of modals."""

    CHECK = "check_view"
    """Brand, draft, file: a new check, or a re-check where private metadata holds a ticket."""
    RESULT = "result_view"
    """An answer in a modal; "checking…" until it is there."""
    DETAILS = "details_view"
    """All sentences of a check, page by page."""
    REASON = "reason_view"
    """Why a reviewer rejects or asks for changes."""
    SETTINGS = "settings_view"
    """Of the workspace and of a channel."""
    BRAND_SETTINGS = "brand_settings_view"


class Action(StrEnum):
    """Action ids of what can be pressed or chosen."""

    # On an answer; the value is the check's ticket.
    DETAILS = "details"
    SHARE = "share"
    SEND_TO_REVIEW = "send_to_review"
    RECHECK = "recheck"
    REPORT = "report"
    """The whole report as a file."""
    PICK_BRAND = "pick_brand"
    """Which brand a waiting draft is to be judged by; the block id is the check's ticket."""
    # On a sentence; the value is `SentenceRef`.
    LABEL_ON = "label_on"
    LABEL_OFF = "label_off"
    # In the details modal; the value is the page.
    PREVIOUS_PAGE = "previous_page"
    NEXT_PAGE = "next_page"
    # On a review; the value is the review's id.
    APPROVE = "approve"
    REJECT = "reject"
    ASK_FOR_CHANGES = "ask_for_changes"
    REOPEN = "reopen"
    # App Home.
    HOME_CHECK = "home_check"
    HOME_BRAND = "home_brand"
    """The user's own default brand, by external select."""
    HOME_SETTINGS = "home_settings"
    HOME_BRAND_SETTINGS = "home_brand_settings"
    """Opens the settings of the brand that is the value."""
    HOME_OPEN_CHECK = "home_open_check"
    HOME_FORGET_ME = "home_forget_me"
    HOME_AUDIT = "home_audit"
    # Inputs of modals (block id and action id are the same).
    BRAND = "brand"
    DRAFT = "draft"
    FILE = "file"
    REASON = "reason"
    CHANNEL_BRAND = "channel_brand"
    RETENTION = "retention"
    ADMINS = "admins"
    REVIEW_CHANNEL = "review_channel"
    GATE = "gate"
    LABELLERS = "labellers"
    REVIEWERS = "reviewers"
    OWN_DRAFTS = "own_drafts"
    DIGEST_CHANNEL = "digest_channel"
    DIGEST_DAY = "digest_day"
    DIGEST_HOUR = "digest_hour"


BRAND_PICKERS = (Action.BRAND, Action.PICK_BRAND, Action.HOME_BRAND, Action.CHANNEL_BRAND)
"""External selects whose options are the workspace's brands."""
CAN_BE_NONE = (Action.HOME_BRAND, Action.CHANNEL_BRAND)
"""Those in which no brand can be chosen: what was chosen once cannot be cleared in Slack."""
NO_BRAND = "-"
"""The value of that option; no brand can be called so."""
AVOIDED = "avoid:"
"""The value of the option to judge by no brand, but by what drafts must not read like."""
