"""A brand's weekly digest."""

from __future__ import annotations

from onbrand_slack.handlers import replies
from onbrand_slack.model import Digest
from onbrand_slack.render import digest as messages
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call


def run(job: Job, request: Digest, services: Services) -> list[Call]:
    """Post a brand's week; nothing where the digest was turned off meanwhile."""
    channel = services.store.settings.brand(job.tenant, request.brand).digest_channel
    if channel is None:
        return []
    week = services.store.digests.figures(job.tenant, request.brand, request.week)
    return [replies.post(channel, messages.message(week))]
