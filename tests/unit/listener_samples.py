"""What the tests of listeners share: what is stored, what was opened, where it is pressed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from block_kit import problems
from slack_bolt import BoltResponse
from slack_data import DRAFT, REPORT
from slack_inbound import ACME, CHANNEL, USER, Inbound

from onbrand_slack.model import Pasted, Source, ToUser

URL = "https://hooks.slack.com/commands/1"
TICKET = "c0123456789abcdef." + "k" * 43
ROOT = "1700000000.000100"
"""Of the first message of a thread."""
HERE = ToUser(CHANNEL, USER, response_url="https://r")
"""Where a button on a message is answered."""
MODAL = {"id": "V1", "type": "modal", "private_metadata": TICKET}


def body(answer: BoltResponse) -> dict[str, Any]:
    """Return what Slack was answered at once."""
    assert answer.status == 200
    return json.loads(answer.body) if answer.body else {}


def full(slack: Inbound) -> None:
    """Fill the queue."""
    slack.services.config = replace(slack.config, queue_limit=1)
    slack.command("acme The first, which waits.")


def opened(slack: Inbound, method: str = "views_open") -> dict[str, Any]:
    """Return the modal that was opened, which Slack would take."""
    ((_, arguments),) = slack.client.called(method)
    view: dict[str, Any] = arguments["view"]
    assert problems(view) == []
    return view


def stored_check(slack: Inbound) -> str:
    """Store a check of `DRAFT`, and return its ticket."""
    return slack.store.checks.add(
        ACME,
        user=USER,
        brand="acme",
        source=Source.COMMAND,
        report=REPORT,
        draft=Pasted(DRAFT),
        title="",
        at=None,
        channel=CHANNEL,
        previous=None,
        retention_days=0,
    )


def stored_review(slack: Inbound, author: str) -> str:
    """Store such a check in review, and return the review's id."""
    check = slack.store.checks.open(ACME, stored_check(slack))
    assert check is not None
    return slack.store.reviews.open_for(ACME, check, author)[0].id
