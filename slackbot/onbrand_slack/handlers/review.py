"""The review queue: a draft is sent to it, and decided on."""

from __future__ import annotations

from dataclasses import replace
from typing import cast, get_args

from onbrand.document import formats
from onbrand.errors import OnbrandError
from onbrand.labels.normalization import clean_text
from onbrand.results import is_brand
from onbrand_slack.answer import Answer, Decided, Decision, Review
from onbrand_slack.handlers import answers, permission, replies
from onbrand_slack.handlers.answers import answer_of
from onbrand_slack.model import (
    Decide,
    Reply,
    SendToReview,
    Tenant,
    ToConversation,
    ToUser,
    ToView,
)
from onbrand_slack.render import marks, words
from onbrand_slack.render import review as messages
from onbrand_slack.render.text import escape
from onbrand_slack.services import Services
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call, Payload


def send(job: Job, request: SendToReview, services: Services) -> list[Call]:
    """Put a draft into the queue, and post it to its brand's reviewers."""
    tenant = job.tenant
    check = services.store.checks.open(tenant, request.ticket)
    if check is None:
        raise OnbrandError(words.EXPIRED)
    if not is_brand(check.brand):
        raise OnbrandError("reviewers are a brand's; check the draft as a brand to send it to them")
    review, _ = services.store.reviews.open_for(tenant, check, request.user)
    answer = answer_of(services, tenant, check, request.user)
    if review.ts is not None:
        return [_told(request.reply, request.user, answer, str(review.channel))]
    if not services.store.reviews.take(tenant, review.id, job.key):
        return []  # pressed twice: the first press is being answered
    return [_post(job, request, review, check, services)]


def decide(job: Job, request: Decide, services: Services) -> list[Call]:
    """Store a decision, show it on the review, and tell the draft's author."""
    tenant = job.tenant
    review = find_review(services, tenant, request.review)
    if request.decision not in get_args(Decision):
        raise OnbrandError("a draft is approved, rejected, sent back or reopened, nothing else")
    decision = cast("Decision", request.decision)
    refused = permission.to_decide(tenant, request.user, review, services)
    if refused is not None:
        return [_privately(request, refused)]
    review, counts = services.store.reviews.decide(
        tenant, review.id, request.user, decision, request.reason, job.key
    )
    calls = _updated(job, request, review, services)
    if not counts:
        return [*calls, _privately(request, messages.already(review))]
    if review.author != request.user:
        decided = _last_word(review, request.user)
        calls.append(replies.post(review.author, messages.to_author(review, decided)))
    return calls


def find_review(services: Services, tenant: Tenant, id_: str) -> Review:
    """Return a review by what a button says.

    Raises:
        OnbrandError: it is not there.
    """
    review = services.store.reviews.get(tenant, clean_text(id_))
    if review is None:
        raise OnbrandError("this review is no longer there; its author can send the draft anew")
    return review


# --- into the queue ---------------------------------------------------------------------------


def _post(
    job: Job, request: SendToReview, review: Review, check: OpenCheck, services: Services
) -> Call:
    """Return the call that posts a review, then the whole draft below it.

    Where it cannot be posted the review stays open, without a message: it can be sent again.
    """
    tenant = job.tenant
    channel = services.store.settings.brand(tenant, check.brand).review_channel
    if channel is None:
        raise OnbrandError(f"{check.brand} has no review channel; an admin can choose one")

    def posted(at: Payload) -> tuple[Call, ...]:
        services.store.reviews.posted(tenant, review.id, at["channel"], at["ts"])
        sent = answer_of(services, tenant, check, request.user)
        told = _told(request.reply, request.user, sent, at["channel"])
        return (*_draft(check, at["channel"], at["ts"]), told)

    # Whoever may label, the buttons are there for all: who presses one is asked then.
    answer = replace(answer_of(services, tenant, check, review.author), can_label=True)
    message = messages.post(review, answer)
    problem = replies.line(
        f"⚠️ I cannot post in {marks.place(channel)}, the review channel of {escape(check.brand)}. "
        "Invite me there (`/invite @onbrand`), then send the draft to review again: it waits."
    )
    failed = replies.send(request.reply, request.user, [problem])
    return replace(replies.first_of([replies.post(channel, message), failed]), then=posted)


def _draft(check: OpenCheck, channel: str, thread: str) -> list[Call]:
    pages = messages.draft_pages(check.draft.text)
    if pages:
        return [replies.post(channel, page, thread) for page in pages]
    name = check.title or f"draft{formats.get(check.draft.format).suffixes[0]}"
    return [replies.upload(channel, name, check.draft.text, "The draft", thread)]


def _told(reply: Reply, user: str, answer: Answer, channel: str) -> Call:
    """Return the call that tells the author where the draft is: on the answer, where one can."""
    if isinstance(reply, ToView):
        return replies.show(reply, answers.modals(answer), [])
    if isinstance(reply, ToUser) and reply.response_url:
        return replies.send(reply, user, answers.private(answer), replaces=True)
    return replies.send(reply, user, [words.sent_to_review(channel)])


# --- out of it --------------------------------------------------------------------------------


def _updated(job: Job, request: Decide, review: Review, services: Services) -> list[Call]:
    """Return the call that shows a review as it stands now, if it is posted."""
    if review.channel is None or review.ts is None:
        return []
    checks = services.store.checks
    check = checks.open(job.tenant, request.ticket or "")
    if check is None or check.id != review.check:
        check = checks.open_kept(job.tenant, review.check)
    answer = None
    if check is not None:
        answer = answer_of(services, job.tenant, check, review.author)
        answer = replace(answer, can_label=True)
    shown = replies.update(review.channel, review.ts, messages.update(review, answer))

    def then(_: Payload) -> tuple[Call, ...]:
        # Another reviewer's word may have come meanwhile, and its message before this one.
        now = services.store.reviews.get(job.tenant, review.id)
        if now is None or len(now.history) <= len(review.history):
            return ()
        return tuple(_updated(job, request, now, services))

    return [replace(shown, then=then)]


def _last_word(review: Review, user: str) -> Decided:
    return next(decided for decided in reversed(review.history) if decided.user == user)


def _privately(request: Decide, message: Payload) -> Call:
    reply = request.reply or ToConversation(request.user)
    return replies.send(reply, request.user, [message])
