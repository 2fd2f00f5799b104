"""Which brand a draft is judged by, where its author did not say."""

from __future__ import annotations

from typing import NamedTuple

from onbrand.document import directives
from onbrand.errors import OnbrandError
from onbrand.voice.storage import unknown_brand
from onbrand_slack.model import Check, Tenant
from onbrand_slack.names import AVOIDED
from onbrand_slack.services import Services


class Choice(NamedTuple):
    """A brand, or what `Scoring.avoided` says, and where it came from."""

    brand: str
    reason: str = ""
    """A clause, see `Answer.brand_reason`; empty where the brand was named."""


def choose(
    tenant: Tenant, request: Check, services: Services, *, text: str = "", named: str | None = None
) -> Choice | None:
    """Return the brand to judge a draft by; None where its author must be asked.

    Args:
        tenant: whose brands.
        request: what was asked for, by whom and where.
        services: the settings and the voices.
        text: the draft, whose front matter may name a brand.
        named: the brand that the message with the draft names.

    Raises:
        OnbrandError: there are no voices, or none for the brand that was chosen.
    """
    known, avoided = services.scoring.brands(tenant), services.scoring.avoided
    if request.brand == AVOIDED:
        if avoided is None:
            raise OnbrandError("drafts are not judged without a brand any more; choose one")
        return Choice(avoided)
    choice = _choice(tenant, request, services, text, named)
    if choice is None:
        if avoided is not None:
            return Choice(avoided, "no brand is named")
        return Choice(known[0], "the only brand there is") if len(known) == 1 else None
    if choice.brand not in known:
        where = f"{choice.reason}: " if choice.reason else ""
        raise OnbrandError(where + unknown_brand(choice.brand, known).message)
    return choice


def _choice(
    tenant: Tenant, request: Check, services: Services, text: str, named: str | None
) -> Choice | None:
    if named := request.brand or named:
        return Choice(named)
    if own := directives.read_front_matter(text).brand:
        return Choice(own, "the draft's front matter")
    settings = services.store.settings
    if request.channel and (set_ := settings.channel_brand(tenant, request.channel)):
        return Choice(set_, "this channel's brand")
    if default := settings.user_brand(tenant, request.user):
        return Choice(default, "your own brand")
    return None
