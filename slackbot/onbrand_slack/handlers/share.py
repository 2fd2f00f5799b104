"""What is done with an answer: shown to a channel, or taken along as a file."""

from __future__ import annotations

from dataclasses import replace

from onbrand.errors import OnbrandError
from onbrand_slack.handlers import answers, replies
from onbrand_slack.handlers.answers import answer_of
from onbrand_slack.model import SendReport, Share, ToConversation, ToUser, ToView
from onbrand_slack.render import marks, report, words
from onbrand_slack.services import Services
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import RESPOND, Call, Payload


def share(job: Job, request: Share, services: Services) -> list[Call]:
    """Post an answer where everybody in a channel sees it."""
    check = _opened(job, request.ticket, services)
    answer = answer_of(services, job.tenant, check, request.user, again=job.again)
    renderings = answers.shared(answer)
    posts = [replies.post(request.channel, message, request.thread) for message in renderings]
    reply, place = request.reply, marks.place(request.channel)
    if isinstance(reply, ToView):  # whose user looks at no channel
        told = _tell(request, f"Shared to {place}.")
        posts = [replace(call, then=lambda _: (told,)) for call in posts]
    if isinstance(reply, ToUser) and reply.response_url and reply.channel == request.channel:
        # Reaches channels where the app is no member.
        posts += [_in_channel(reply.response_url, each, request.thread) for each in renderings]
    problem = f"⚠️ I cannot post in {place}. Invite me there (`/invite @onbrand`), then share again."
    return [replies.first_of([*posts, _tell(request, problem)])]


def send_report(job: Job, request: SendReport, services: Services) -> list[Call]:
    """Upload the whole report to the user, who alone sees it."""
    check = _opened(job, request.ticket, services)
    name, content = report.markdown(answer_of(services, job.tenant, check, request.user))
    comment = "The full report"
    reply = request.reply
    if isinstance(reply, ToConversation):
        return [replies.upload(reply.channel, name, content, comment, reply.thread)]
    told = []
    if isinstance(reply, ToUser) and not reply.channel.startswith("D"):
        notice = words.notice("📄 The full report is in your messages with onbrand.")
        told.append(replies.send(reply, request.user, [notice]))
    return [replies.upload_to_user(request.user, name, content, comment, told)]


def _opened(job: Job, ticket: str, services: Services) -> OpenCheck:
    check = services.store.checks.open(job.tenant, ticket)
    if check is None:
        raise OnbrandError(words.EXPIRED)
    return check


def _in_channel(url: str, message: Payload, thread: str | None) -> Call:
    body = {"response_type": "in_channel", "replace_original": False, **message}
    return Call(RESPOND, {"url": url, "body": body | ({"thread_ts": thread} if thread else {})})


def _tell(request: Share, mrkdwn: str) -> Call:
    reply = request.reply or ToConversation(request.user)
    return replies.send(reply, request.user, [replies.line(mrkdwn)])
