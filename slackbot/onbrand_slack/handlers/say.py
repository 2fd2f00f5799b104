"""Answers that need no draft: help, the brands, the user's own brand, the settings."""

from __future__ import annotations

from onbrand.errors import OnbrandError
from onbrand_slack.handlers import people, replies
from onbrand_slack.model import Say, Tenant
from onbrand_slack.render import settings as settings_messages
from onbrand_slack.render import words
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call, Payload


def run(job: Job, request: Say, services: Services) -> list[Call]:
    """Answer with words."""
    return [replies.send(request.reply, request.user, [_message(job.tenant, request, services)])]


def _message(tenant: Tenant, request: Say, services: Services) -> Payload:
    match request.topic:
        case "brands":
            return _brands(tenant, request, services)
        case "use":
            return _use(tenant, request, services)
        case "settings":
            return _settings(tenant, request, services)
    known = services.scoring.brands(tenant)
    return words.guide(_here(tenant, request, services) or next(iter(known), None))


def _brands(tenant: Tenant, request: Say, services: Services) -> Payload:
    settings = services.store.settings
    return words.brands(
        [settings.brand(tenant, brand) for brand in services.scoring.brands(tenant)],
        own=settings.user_brand(tenant, request.user),
        channel=request.channel,
        channel_brand=_here(tenant, request, services),
        avoided=services.scoring.avoided,
    )


def _use(tenant: Tenant, request: Say, services: Services) -> Payload:
    known = services.scoring.brands(tenant)
    if request.brand is not None and request.brand not in known:
        return words.unknown_brand(request.brand, known)
    services.store.settings.set_user_brand(tenant, request.user, request.brand)
    return words.chosen(request.brand)


def _settings(tenant: Tenant, request: Say, services: Services) -> Payload:
    settings = services.store.settings
    try:
        is_admin = people.is_admin(services, tenant, request.user)
    except OnbrandError:
        is_admin = False
    return settings_messages.summary(
        settings.workspace(tenant),
        [settings.brand(tenant, brand) for brand in services.scoring.brands(tenant)],
        channel=request.channel,
        channel_brand=_here(tenant, request, services),
        user_brand=settings.user_brand(tenant, request.user),
        is_admin=is_admin,
    )


def _here(tenant: Tenant, request: Say, services: Services) -> str | None:
    if request.channel is None:
        return None
    return services.store.settings.channel_brand(tenant, request.channel)
