"""Judge a draft, and answer where it was asked."""

from __future__ import annotations

from dataclasses import replace

from onbrand.errors import OnbrandError
from onbrand.report.message import capitalised, draft_message
from onbrand.results import Report
from onbrand_slack.answer import Answer
from onbrand_slack.handlers import answers, brand, reading, replies, status, thread
from onbrand_slack.handlers.reading import Found, Unread
from onbrand_slack.model import (
    Check,
    Reply,
    Sealed,
    ThreadAt,
    ToConversation,
    ToView,
    ToWorkflow,
)
from onbrand_slack.render import answer as messages
from onbrand_slack.services import Services
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.store.jobs import Job
from onbrand_slack.store.sealing import HeldDraft
from onbrand_slack.work.calls import Call, Payload


def run(job: Job, request: Check, services: Services) -> list[Call]:
    """Judge the drafts that a request names, each with an answer of its own."""
    status.show(job.tenant, request, services)
    if isinstance(request.draft, ThreadAt):
        return thread.run(job, request, request.draft, services)
    drafts = reading.read(job.tenant, request, services)
    if isinstance(request.reply, ToWorkflow):
        drafts = drafts[:1]  # a step has one outcome
    calls = []
    for number, found in enumerate(drafts):
        reply = request.reply
        if number and isinstance(reply, ToView):
            reply = ToConversation(reply.user)  # a modal has room for one answer
        one = replace(job, key=f"{job.key}/{number}")
        calls.append(_call(one, request, found, reply, services))
    return calls


def _call(
    job: Job, request: Check, found: Found | Unread, reply: Reply, services: Services
) -> Call:
    """Return the call that answers for one draft, or says what is wrong with it."""
    try:
        if isinstance(found, Unread):
            raise OnbrandError(found.problem)
        return _judged(job, request, found, reply, services)
    except OnbrandError as error:
        problem = capitalised(error.message)
        if found.title:
            problem = f"“{found.title}”: {problem}"
        return replies.tell_trouble(reply, request.user, problem)


def _judged(job: Job, request: Check, found: Found, reply: Reply, services: Services) -> Call:
    tenant, text = job.tenant, found.draft.text
    choice = brand.choose(tenant, request, services, text=text, named=found.brand)
    if choice is None:
        return _ask(job, request, found, reply, services)
    gate = services.store.settings.brand(tenant, choice.brand).gate
    report = services.scoring.check(tenant, found.draft, choice.brand, gate)
    check = _stored(job, request, found, report, choice.reason, services)
    answer = answers.answer_of(services, tenant, check, request.user, again=job.again)
    return _answer(request, answer, reply)


def _stored(
    job: Job, request: Check, found: Found, report: Report, reason: str, services: Services
) -> OpenCheck:
    """Keep a check for its buttons, and return it."""
    tenant, checks = job.tenant, services.store.checks
    ticket = checks.add(
        tenant,
        user=request.user,
        brand=report.brand,
        source=found.source or request.source,
        report=report,
        draft=found.draft,
        title=found.title,
        at=found.at,
        channel=request.channel,
        previous=request.previous,
        brand_reason=reason,
        change=checks.change(tenant, request.previous or "", report),
        retention_days=services.store.settings.workspace(tenant).retention_days,
        key=job.key,
    )
    check = checks.open(tenant, ticket)
    if check is None:  # its author asked to be forgotten at this moment
        raise OnbrandError("the check was deleted; check the draft again")
    return check


def _ask(job: Job, request: Check, found: Found, reply: Reply, services: Services) -> Call:
    """Keep the draft, and ask by which brand it is to be judged."""
    tenant = job.tenant
    known = services.scoring.brands(tenant)
    if isinstance(reply, ToWorkflow):
        raise OnbrandError(f"which brand? Choose one in the step (known: {', '.join(known)})")
    held = HeldDraft(found.draft, found.source or request.source, found.title, found.at)
    ticket = services.store.checks.hold(tenant, request.user, held, job.key)
    question = messages.pick_brand(ticket, known)
    if isinstance(reply, ToView):
        return replies.show(reply, [answers.question(ticket, known)], [question])
    return replies.send(reply, request.user, [question])


def _answer(request: Check, answer: Answer, reply: Reply) -> Call:
    if isinstance(reply, ToWorkflow):
        return _outcome(reply, answer)
    if isinstance(reply, ToView):
        return replies.show(reply, answers.modals(answer), answers.private(answer))
    # A draft that waited for its brand: the answer takes the place of the question.
    chosen = isinstance(request.draft, Sealed)
    return replies.send(reply, request.user, answers.private(answer), replaces=chosen)


# --- workflows --------------------------------------------------------------------------------


def _outcome(reply: ToWorkflow, answer: Answer) -> Call:
    """Return the call that ends a step, after the report's where one is wanted."""
    if answer.report.probability is None:
        raise OnbrandError(draft_message(answer.report))
    if reply.report_to is None:
        return _completed(reply, answer, "")
    to_channel = reply.report_to.startswith(("C", "G"))
    renderings = answers.shared(answer) if to_channel else answers.private(answer)
    posts = [replies.post(reply.report_to, message) for message in renderings]

    def posted(at: Payload) -> tuple[Call, ...]:
        where = {"channel": at["channel"], "message_ts": at["ts"]}
        return (
            Call(
                "chat.getPermalink",
                where,
                instead=(_completed(reply, answer, ""),),
                then=lambda found: (_completed(reply, answer, str(found["permalink"])),),
            ),
        )

    # The verdict counts, whether or not its report can be posted.
    reports = [replace(call, then=posted) for call in posts]
    return replies.first_of([*reports, _completed(reply, answer, "")])


def _completed(reply: ToWorkflow, answer: Answer, link: str) -> Call:
    report = answer.report
    outputs = {
        "verdict": report.verdict,
        "probability": round(report.probability or 0.0, 4),
        "report_link": link,
    }
    return replies.complete(reply, outputs)
