"""One person's word on one sentence."""

from __future__ import annotations

from typing import Literal

from onbrand.errors import OnbrandError
from onbrand.labels.model import Label as Word
from onbrand.results import is_brand
from onbrand_slack.answer import Review
from onbrand_slack.handlers import answers, permission, replies
from onbrand_slack.handlers.answers import answer_of
from onbrand_slack.model import Label, SentenceRef, ToUser, ToView
from onbrand_slack.render import details
from onbrand_slack.render import review as review_messages
from onbrand_slack.services import Services
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call

NO_BRAND = "Labels teach a brand's voice; check the draft as a brand to label its sentences."
TOO_OLD = "This check is too old to label; check the draft again."


def run(job: Job, request: Label, services: Services) -> list[Call]:
    """Store a label, and show it where it was given."""
    tenant = job.tenant
    check, index = _sentence(job, request, services)
    sentence = check.report.sentences[index]
    if not is_brand(sentence.brand):
        raise OnbrandError(NO_BRAND)
    settings = services.store.settings.brand(tenant, sentence.brand)
    refused = permission.to_label(tenant, request.user, settings, services)
    if refused is not None:
        return [replies.send(request.reply, request.user, [refused])]
    word = Word(
        text=sentence.text,
        brand=sentence.brand,
        label=_label(request.label),
        author=request.user,
        source="slack",
        document=check.id,
        id=job.key,
    )
    services.labels.workspace(tenant.workspace).add([word])
    return [_shown(job, request, check, services)]


def _sentence(job: Job, request: Label, services: Services) -> tuple[OpenCheck, int]:
    try:
        ref = SentenceRef.parse(request.sentence)
    except ValueError:
        raise OnbrandError(TOO_OLD) from None
    check = services.store.checks.open(job.tenant, ref.ticket)
    if check is None or ref.index >= len(check.report.sentences):
        raise OnbrandError(TOO_OLD)
    return check, ref.index


def _label(text: str) -> Literal["on", "off"]:
    if text == "on":
        return "on"
    if text == "off":
        return "off"
    raise OnbrandError("a sentence is on-brand or off-brand, nothing else")


def _shown(job: Job, request: Label, check: OpenCheck, services: Services) -> Call:
    """Return the call that shows all labels as they are now, where one was given."""
    answer = answer_of(services, job.tenant, check, request.user)
    reply = request.reply
    if isinstance(reply, ToView):
        page = request.page
        views = answers.modals(answer) if page is None else [details.view(answer, page)]
        return replies.show(reply, views, [])
    review = services.store.reviews.by_check(job.tenant, check.id)
    if review is not None and _is_on(review, request):
        message = review_messages.update(review, answer)
        return replies.update(str(review.channel), str(review.ts), message)
    if request.message is not None and isinstance(reply, ToUser) and reply.channel[:1] != "D":
        # The one who shared it stands on the message, whoever labels.
        public = answer_of(services, job.tenant, check, check.user)
        updates = [
            replies.update(reply.channel, request.message, message)
            for message in answers.shared(public)
        ]
        return replies.first_of(updates)
    return replies.send(reply, request.user, answers.private(answer), replaces=True)


def _is_on(review: Review, request: Label) -> bool:
    """Tell whether a label was given on the message of a review."""
    reply = request.reply
    if not isinstance(reply, ToUser) or review.ts is None or reply.channel != review.channel:
        return False
    return request.message in (None, review.ts)
