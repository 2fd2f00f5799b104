"""A summary of a thread: what is said of each of its messages."""

from __future__ import annotations

from onbrand.errors import OnbrandError
from onbrand.results import Report
from onbrand_slack.answer import ThreadLine
from onbrand_slack.drafts import message
from onbrand_slack.handlers import brand, reading, replies
from onbrand_slack.model import Check, ThreadAt
from onbrand_slack.render import marks
from onbrand_slack.render import thread as messages
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call, Payload

_SAID = (None, "file_share", "thread_broadcast", "me_message")
"""Subtypes of messages that people write."""


def run(job: Job, request: Check, at: ThreadAt, services: Services) -> list[Call]:
    """Judge each message of a thread, and answer with one list.

    None of it is stored: these are other people's messages, checked at the wish of one.
    """
    tenant = job.tenant
    choice = brand.choose(tenant, request, services)
    if choice is None:
        known = ", ".join(services.scoring.brands(tenant))
        raise OnbrandError(f"which brand? Say: @onbrand BRAND summary (known: {known})")
    said, more = reading.thread(tenant, at, services)
    gate = services.store.settings.brand(tenant, choice.brand).gate
    lines = []
    for one in said:
        text, _ = reading.said_in(tenant, one, services)
        if text and one.get("subtype") in _SAID:
            report = services.scoring.check(tenant, message.pasted(text), choice.brand, gate)
            lines.append(_line(at.channel, one, report))
    if not lines:
        raise OnbrandError("there is no text in this thread to check")
    reason = choice.reason or "as you said"
    if more:
        reason += f". Only the first {reading.MOST_REPLIES} messages are here"
    summary = messages.summary(lines, choice.brand, brand_reason=reason)
    return [replies.send(request.reply, request.user, [summary, {"text": summary["text"]}])]


def _line(channel: str, said: Payload, report: Report) -> ThreadLine:
    user, ts = said.get("user"), said.get("ts")
    worst = min(report.flagged, key=lambda sentence: sentence.probability or 0.0, default=None)
    return ThreadLine(
        user=user if isinstance(user, str) else None,
        link=marks.message_url(channel, ts if isinstance(ts, str) else None),
        probability=report.probability,
        verdict=report.verdict,
        flagged=len(report.flagged),
        judged=sum(sentence.probability is not None for sentence in report.sentences),
        worst=None if worst is None else worst.text,
        mend=len(report.mend) if report.verdict == "forward" else 0,
    )
