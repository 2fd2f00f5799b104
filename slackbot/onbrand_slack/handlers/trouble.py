"""What a user is told where a job came to nothing."""

from __future__ import annotations

from onbrand_slack.handlers import replies
from onbrand_slack.model import Digest, Home, Prompts, Uninstalled
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call

UNASKED = (Home, Prompts, Digest, Uninstalled)
"""Requests that nobody waits for an answer to."""


def problem_calls(job: Job, message: str) -> list[Call]:
    """Return the calls that tell a job's user one sentence; none where nobody asked.

    Args:
        job: what could not be done.
        message: why, and how to fix it.
    """
    request = job.request
    if isinstance(request, UNASKED):
        return []
    return [replies.tell_trouble(getattr(request, "reply", None), request.user, message)]
