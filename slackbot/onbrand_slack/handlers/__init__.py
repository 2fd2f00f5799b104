"""What is done for each kind of job: a function from the job to the calls that answer it.

A handler reads what it needs, stores what is to be stored, and sends nothing by itself. It may run
twice, since a job is taken over whose replica died: what it stores is stored once, and what it
answers is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from onbrand_slack import model
from onbrand_slack.handlers import (
    check,
    configure,
    digest,
    home,
    label,
    privacy,
    review,
    say,
    share,
)
from onbrand_slack.handlers.trouble import problem_calls
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call
from onbrand_slack.work.deliver import again

__all__ = ["HANDLERS", "Handler", "problem_calls"]

Calls = list[Call]
R = TypeVar("R")
"""A type of request."""


class Handler(NamedTuple):
    """What does one kind of job; `services.lane_of` tells whose threads do it."""

    run: Callable[[Job, Services], Calls]


def _handler(
    kind: type[R], run: Callable[[Job, R, Services], Calls], *, marks_itself: bool = False
) -> tuple[type[Any], Handler]:
    """Return what does a kind of job, and says of a second answer that it may be a repetition."""

    def handle(job: Job, services: Services) -> Calls:
        if not isinstance(job.request, kind):
            raise TypeError(f"{type(job.request).__name__} is no {kind.__name__}")
        calls = run(job, job.request, services)
        return [again(call) for call in calls] if job.again and not marks_itself else calls

    return kind, Handler(handle)


HANDLERS: Mapping[type[model.Request], Handler] = dict(
    (
        _handler(model.Check, check.run, marks_itself=True),
        _handler(model.Share, share.share, marks_itself=True),
        _handler(model.Label, label.run),
        _handler(model.SendReport, share.send_report),
        _handler(model.SendToReview, review.send),
        _handler(model.Decide, review.decide),
        _handler(model.Home, home.run),
        _handler(model.Prompts, home.prompts),
        _handler(model.Say, say.run),
        _handler(model.Configure, configure.run),
        _handler(model.Digest, digest.run),
        _handler(model.ForgetUser, privacy.forget_user),
        _handler(model.Audit, privacy.audit),
        _handler(model.Uninstalled, privacy.uninstalled),
    )
)
