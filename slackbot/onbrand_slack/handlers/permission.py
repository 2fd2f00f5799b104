"""Who may label, decide and change settings."""

from __future__ import annotations

from onbrand_slack.answer import BrandSettings, Review
from onbrand_slack.handlers import people
from onbrand_slack.model import Tenant
from onbrand_slack.render import words
from onbrand_slack.services import Services
from onbrand_slack.work.calls import Payload


def to_label(
    tenant: Tenant, user: str, settings: BrandSettings, services: Services
) -> Payload | None:
    """Return why a user may not label sentences of a brand; None where they may."""
    if people.person(services, tenant, user).stranger:
        return words.stranger("label")
    if settings.labellers and user not in settings.labellers:
        return words.not_allowed("label", settings.labellers)
    return None


def to_decide(tenant: Tenant, user: str, review: Review, services: Services) -> Payload | None:
    """Return why a user may not decide on a draft; None where they may."""
    settings = services.store.settings.brand(tenant, review.brand)
    if people.person(services, tenant, user).stranger:
        return words.stranger("decide")
    if settings.reviewers and user not in settings.reviewers:
        return words.not_allowed("decide", settings.reviewers)
    if user == review.author and not settings.own_drafts:
        return words.notice("This draft is yours: somebody else has to decide on it.")
    return None


def to_configure(tenant: Tenant, user: str, services: Services) -> Payload | None:
    """Return why a user may not change settings; None where they may."""
    if people.is_admin(services, tenant, user):
        return None
    return words.not_allowed("configure", services.store.settings.workspace(tenant).admins)


def may_decide(user: str, author: str, settings: BrandSettings) -> bool:
    """Tell whether the settings let a user decide on a draft, for lists of what waits."""
    return (not settings.reviewers or user in settings.reviewers) and (
        user != author or settings.own_drafts
    )
