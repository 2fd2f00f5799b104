"""A stored check made into what one user is shown of it."""

from __future__ import annotations

from collections.abc import Sequence

from onbrand.results import is_brand
from onbrand_slack.answer import Answer
from onbrand_slack.handlers.votes import votes
from onbrand_slack.model import Tenant
from onbrand_slack.names import View
from onbrand_slack.render import answer as answers
from onbrand_slack.render import details, elements, marks
from onbrand_slack.services import Services
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.work.calls import Payload


def answer_of(
    services: Services,
    tenant: Tenant,
    check: OpenCheck,
    viewer: str,
    *,
    again: bool = False,
) -> Answer:
    """Return what a user is shown of a check, with labels and review as they stand now.

    Args:
        services: the settings, the labels and the reviews.
        tenant: whose.
        check: as the store has it.
        viewer: the user.
        again: whether this may be a repetition.
    """
    settings = services.store.settings.brand(tenant, check.brand)
    review = services.store.reviews.by_check(tenant, check.id)
    at = check.at
    return Answer(
        ticket=check.ticket,
        report=check.report,
        user=viewer,
        source=check.source,
        title=check.title,
        link=None if at is None else marks.message_url(at.channel, at.ts),
        # It speaks to the author: "your own brand".
        brand_reason=check.brand_reason if viewer == check.user else "",
        change=check.change,
        votes=votes(services.labels.workspace(tenant.workspace), check.report),
        again=again,
        review_channel=settings.review_channel,
        review=None if review is None else review.status,
        # Registers learn from nobody's labels.
        can_label=is_brand(check.brand)
        and (not settings.labellers or viewer in settings.labellers),
    )


def private(answer: Answer) -> list[Payload]:
    """Return the messages for the one who asked: the whole, then what to try if it is too long."""
    return [answers.private(answer), answers.short(answer), answers.plain(answer)]


def shared(answer: Answer) -> list[Payload]:
    """Return the messages for a channel to see, in the same order."""
    return [answers.shared(answer), answers.plain(answer)]


def modals(answer: Answer) -> list[Payload]:
    """Return the modals, in the same order."""
    return [details.result(answer), details.trouble(answers.plain(answer)["text"])]


def question(ticket: str, brands: Sequence[str]) -> Payload:
    """Return the modal that asks by which brand a draft is to be judged."""
    blocks = answers.pick_brand(ticket, brands)["blocks"]
    return elements.modal(View.RESULT, "onbrand", blocks, metadata=ticket)
