"""The App Home, and the prompts that begin a conversation."""

from __future__ import annotations

from onbrand.errors import OnbrandError
from onbrand_slack.answer import BrandSettings, HomePage, Review
from onbrand_slack.handlers import people
from onbrand_slack.handlers.permission import may_decide
from onbrand_slack.model import Home, Prompts, Tenant
from onbrand_slack.render import home as pages
from onbrand_slack.render import words
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call

MOST = 50
"""Reviews and checks that are looked at; the page shows fewer."""


def run(job: Job, request: Home, services: Services) -> list[Call]:
    """Publish a user's App Home."""
    return [publish(job.tenant, request.user, services)]


def publish(tenant: Tenant, user: str, services: Services) -> Call:
    """Return the call that shows a user their App Home as things stand."""
    view = pages.page(_page(tenant, user, services))
    return Call("views.publish", {"user_id": user, "view": view})


def prompts(job: Job, request: Prompts, services: Services) -> list[Call]:
    """Offer the first words of a conversation."""
    own = services.store.settings.user_brand(job.tenant, request.user)
    offered = words.prompts(services.scoring.brands(job.tenant), own)
    arguments = {"channel_id": request.channel, "prompts": offered}
    return [Call("assistant.threads.setSuggestedPrompts", arguments, optional=True)]


def _page(tenant: Tenant, user: str, services: Services) -> HomePage:
    settings, reviews = services.store.settings, services.store.reviews
    gates, problem = _voice_gates(tenant, services)
    brands = [settings.brand(tenant, brand) for brand in gates]
    return HomePage(
        user=user,
        brands=brands,
        default_brand=settings.user_brand(tenant, user),
        recent=services.store.checks.recent(tenant, user, MOST),
        reviews=_waiting(tenant, user, brands, services),
        own_reviews=reviews.of_author(tenant, user),
        is_admin=_is_admin(tenant, user, services),
        settings=settings.workspace(tenant),
        problem=problem,
        voice_gates=gates,
        avoided=services.scoring.avoided,
    )


def _voice_gates(tenant: Tenant, services: Services) -> tuple[dict[str, float], str | None]:
    """Return the gates of a workspace's voices by brand, or what is wrong with them."""
    try:
        if not services.scoring.brands(tenant):  # registers judge, until there are some
            return {}, None
        scorer = services.scoring.scorer(tenant)
    except OnbrandError as error:
        return {}, error.message
    return {brand: scorer.voice(brand).manifest.gate for brand in sorted(scorer.brands)}, None


def _waiting(
    tenant: Tenant, user: str, brands: list[BrandSettings], services: Services
) -> list[Review]:
    """Return the open reviews that a user may decide on."""
    by_name = {settings.brand: settings for settings in brands}
    own = [name for name, settings in by_name.items() if may_decide(user, "", settings)]
    waiting = services.store.reviews.waiting(tenant, own, MOST)
    return [each for each in waiting if may_decide(user, each.author, by_name[each.brand])]


def _is_admin(tenant: Tenant, user: str, services: Services) -> bool:
    try:
        return people.is_admin(services, tenant, user)
    except OnbrandError:  # the page has more than the door to the settings
        return False
