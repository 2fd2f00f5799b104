"""Settings: who may change them, what they may be, and the word that they are stored."""

from __future__ import annotations

from onbrand.errors import OnbrandError
from onbrand.voice.storage import unknown_brand
from onbrand_slack.handlers import home, permission, replies
from onbrand_slack.model import Configure, Tenant
from onbrand_slack.names import Action
from onbrand_slack.render import marks
from onbrand_slack.render import settings as forms
from onbrand_slack.render.text import escape
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call


def run(job: Job, request: Configure, services: Services) -> list[Call]:
    """Store settings, say so, and show them on the App Home."""
    tenant = job.tenant
    if request.personal:
        _set_own_brand(tenant, request, services)
        return [home.publish(tenant, request.user, services)]
    refused = permission.to_configure(tenant, request.user, services)
    if refused is not None:
        return [replies.post(request.user, refused)]
    stored = _set_brand if request.brand is not None else _set_workspace
    told = replies.line(f"✅ {stored(tenant, request, services)}")
    return [replies.post(request.user, told), home.publish(tenant, request.user, services)]


def _set_own_brand(tenant: Tenant, request: Configure, services: Services) -> None:
    brand = request.values.get(Action.BRAND)
    chosen = _known(tenant, brand, services) if isinstance(brand, str) else None
    services.store.settings.set_user_brand(tenant, request.user, chosen)


def _set_brand(tenant: Tenant, request: Configure, services: Services) -> str:
    brand = _known(tenant, str(request.brand), services)
    settings = forms.brand_of(brand, request.values)
    services.store.settings.set_brand(tenant, settings, request.user)
    return f"Settings of *{escape(brand)}*: {forms.brand_line(settings)}."


def _set_workspace(tenant: Tenant, request: Configure, services: Services) -> str:
    store = services.store.settings
    brand = request.values.get(Action.CHANNEL_BRAND)
    chosen = _known(tenant, brand, services) if isinstance(brand, str) else None
    settings = forms.workspace_of(request.values)
    store.set_workspace(tenant, settings, request.user)
    kept = settings.retention_days
    said = f"Drafts are kept for {kept} days" if kept else "Drafts are not kept"
    if request.channel is None or Action.CHANNEL_BRAND not in request.values:
        return f"Settings of this workspace: {said}."
    store.set_channel_brand(tenant, request.channel, chosen, request.user)
    judged = f"is checked as *{escape(chosen)}*" if chosen else "has no brand of its own"
    return f"{marks.place(request.channel)} {judged}. {said}."


def _known(tenant: Tenant, brand: str, services: Services) -> str:
    known = services.scoring.scorer(tenant).brands
    if brand not in known:
        raise OnbrandError(unknown_brand(brand, known).message)
    return brand
