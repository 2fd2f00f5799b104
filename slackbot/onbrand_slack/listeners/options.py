"""What an external select offers: the workspace's brands, and none where that can be.

Where registers judge what names no brand, a draft can be checked so by choice. A channel and a user
need no such choice: they have no brand.
"""

from __future__ import annotations

from onbrand_slack.intake.guard import Sent
from onbrand_slack.intake.payloads import Suggestion
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.names import CAN_BE_NONE, NO_BRAND
from onbrand_slack.render.elements import option
from onbrand_slack.render.inputs import brand_option
from onbrand_slack.work.calls import Payload

MOST = 100
"""Options that Slack takes."""
_NONE = "No brand"


def brands(sent: Sent[Suggestion], desk: Desk) -> Payload:
    """Return the brands that what was typed is part of, those that begin with it first."""
    typed = sent.payload.value.strip().casefold()
    can_be_none = sent.payload.action_id in CAN_BE_NONE and typed in _NONE.casefold()
    none = [option(_NONE, NO_BRAND)] if can_be_none else []
    found = [name for name in desk.brands(sent.tenant) if typed in name.casefold()]
    found.sort(key=lambda name: (not name.casefold().startswith(typed), name.casefold()))
    last = []
    avoided = desk.services.scoring.avoided
    if avoided is not None and sent.payload.action_id not in CAN_BE_NONE:
        last = [one for one in [brand_option(avoided)] if typed in one["text"]["text"].casefold()]
    shown = [*none, *map(brand_option, found)][: MOST - len(last)]
    return {"options": [*shown, *last]}
