"""Modals that are submitted: checked at once, so that nothing that was typed is lost."""

from __future__ import annotations

from onbrand_slack.drafts.message import pasted
from onbrand_slack.intake.guard import Sent
from onbrand_slack.intake.payloads import Submission
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.model import Check, Configure, Decide, Files, Source, ToView
from onbrand_slack.names import Action
from onbrand_slack.render import check_form, details, review
from onbrand_slack.render import settings as forms
from onbrand_slack.render.inputs import Entered, Remembered
from onbrand_slack.work.calls import Payload

AFTER_WAITING = 0.3
"""Seconds: Slack shows "checking…" when our acknowledgement arrives, and the answer comes later."""


def check(sent: Sent[Submission], desk: Desk) -> Payload | None:
    """Check what is in the draft box, or the files."""
    form = check_form.read(sent.payload.raw["view"])
    if form.errors:
        return _errors(form.errors)
    user = sent.payload.user.id
    request = Check(
        user=user,
        source=Source.MODAL,
        draft=Files(form.files) if form.files else pasted(form.text),
        reply=ToView(sent.payload.view.id, user),
        channel=form.channel,
        brand=form.brand,
        previous=form.ticket,
    )
    if refused := desk.refusal(desk.put(sent, request, delay=AFTER_WAITING)):
        # Beside the box: the modal stays, and the draft in it.
        return _errors({str(Action.FILE if form.files else Action.DRAFT): refused["text"]})
    return {"response_action": "update", "view": details.waiting()}


def reason(sent: Sent[Submission], desk: Desk) -> Payload | None:
    """Take a decision for which a reason was asked."""
    view = sent.payload.raw["view"]
    form = review.read_reason(view)
    if form.errors:
        return _errors(form.errors)
    if form.review and form.decision:
        ticket = Remembered.of(view).ticket
        user = sent.payload.user.id
        desk.put(sent, Decide(user, form.review, form.decision, form.text, ticket=ticket))
    return None


def settings(sent: Sent[Submission], desk: Desk) -> Payload | None:
    """Store the settings of the workspace and of a channel."""
    view = sent.payload.raw["view"]
    return _configure(sent, desk, forms.read_workspace(view), Remembered.of(view))


def brand_settings(sent: Sent[Submission], desk: Desk) -> Payload | None:
    """Store the settings of a brand."""
    view = sent.payload.raw["view"]
    remembered = Remembered.of(view)
    if remembered.brand is None:
        return None
    return _configure(sent, desk, forms.read_brand(view), remembered)


def _configure(
    sent: Sent[Submission], desk: Desk, entered: Entered, remembered: Remembered
) -> Payload | None:
    if entered.errors:
        return _errors(entered.errors)
    user = sent.payload.user.id
    desk.put(
        sent,
        Configure(user, entered.values, brand=remembered.brand, channel=remembered.channel),
    )
    return None


def _errors(errors: dict[str, str]) -> Payload:
    return {"response_action": "errors", "errors": errors}
