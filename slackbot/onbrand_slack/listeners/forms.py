"""Buttons and shortcuts that open a modal, or another page of one."""

from __future__ import annotations

from onbrand_slack.answer import Decision
from onbrand_slack.handlers import permission
from onbrand_slack.handlers.answers import answer_of
from onbrand_slack.handlers.review import find_review
from onbrand_slack.intake.guard import Sent
from onbrand_slack.intake.payloads import Actions, Interaction
from onbrand_slack.listeners import actions
from onbrand_slack.listeners.actions import channel_of, ticket_on
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.render import check_form, review, words
from onbrand_slack.render import details as pages
from onbrand_slack.render import settings as settings_forms
from onbrand_slack.render.inputs import Remembered
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.work.calls import Payload

# --- checks ----------------------------------------------------------------------------------


def new_check(sent: Sent[Interaction], desk: Desk) -> None:
    """Open the modal with a draft box."""
    payload = sent.payload
    channel = channel_of(payload) if isinstance(payload, Actions) else None

    def view() -> Payload:
        return check_form.view(_usual_brand(sent, desk, channel), channel=channel)

    desk.open(sent, view)


def recheck(sent: Sent[Actions], desk: Desk) -> None:
    """Open the modal with an earlier version in its box."""
    ticket = sent.payload.pressed.chosen

    def view() -> Payload:
        check = _opened(sent, desk, ticket)
        if check is None:
            return pages.trouble(words.EXPIRED)
        return check_form.view(check.brand, check.draft.text, ticket=ticket, channel=check.channel)

    desk.open(sent, view)


def _usual_brand(sent: Sent[Interaction], desk: Desk, channel: str | None) -> str | None:
    """Return the brand that the user most likely means; a voice that is gone is none.

    Where there is nothing to go by, it is what judges then: registers, if any are to be avoided.
    """
    stored, brands = desk.services.store.settings, desk.brands(sent.tenant)
    of_channel = stored.channel_brand(sent.tenant, channel) if channel else None
    usual = of_channel or stored.user_brand(sent.tenant, sent.payload.user.id)
    if usual is None:
        avoided = desk.services.scoring.avoided
        return avoided or (brands[0] if len(brands) == 1 else None)
    return usual if usual in brands else None


def _opened(sent: Sent[Actions], desk: Desk, ticket: str) -> OpenCheck | None:
    return desk.services.store.checks.open(sent.tenant, ticket)


def share(sent: Sent[Actions], desk: Desk) -> None:
    """Share an answer to its channel; out of a direct message, ask to which one."""
    channel, ticket = channel_of(sent.payload), sent.payload.pressed.chosen
    if sent.payload.view is not None or channel is None or not channel.startswith("D"):
        return actions.share(sent, desk)

    def view() -> Payload:
        check = _opened(sent, desk, ticket)
        if check is None:
            return pages.trouble(words.EXPIRED)
        return pages.result(answer_of(desk.services, sent.tenant, check, sent.payload.user.id))

    desk.open(sent, view)
    return None


# --- all sentences, page by page -------------------------------------------------------------


def details(sent: Sent[Actions], desk: Desk) -> None:
    """Open the first page of a check's sentences."""
    ticket = sent.payload.pressed.chosen
    desk.open(sent, lambda: _page(sent, desk, ticket, 0))


def turn_page(sent: Sent[Actions], desk: Desk) -> None:
    """Show another page of the modal that is open."""
    view, page = sent.payload.view, sent.payload.pressed.chosen
    try:
        ticket, _ = pages.read_metadata(view.private_metadata if view else "")
    except ValueError:
        return
    if view is None or not page.isdecimal() or len(page) > 6:
        return
    shown = view.id
    desk.call(
        sent,
        lambda client: client.views_update(
            view_id=shown, view=_page(sent, desk, ticket, int(page))
        ),
    )


def _page(sent: Sent[Actions], desk: Desk, ticket: str, page: int) -> Payload:
    check = _opened(sent, desk, ticket)
    if check is None:
        return pages.trouble(words.EXPIRED)
    answer = answer_of(desk.services, sent.tenant, check, sent.payload.user.id)
    return pages.view(answer, page)


# --- reviews ---------------------------------------------------------------------------------


def reject(sent: Sent[Actions], desk: Desk) -> None:
    """Ask why a draft is rejected."""
    _ask_why(sent, desk, "reject")


def ask_for_changes(sent: Sent[Actions], desk: Desk) -> None:
    """Ask what is to be changed."""
    _ask_why(sent, desk, "changes")


def _ask_why(sent: Sent[Actions], desk: Desk, decision: Decision) -> None:
    chosen, user = sent.payload.pressed.chosen, sent.payload.user.id
    if not chosen:
        return

    def view() -> Payload:
        # Before they write why; the handler asks again, since this modal may stay open for long.
        waiting = find_review(desk.services, sent.tenant, chosen)
        if refused := permission.to_decide(sent.tenant, user, waiting, desk.services):
            return pages.told(refused)
        remembered = Remembered(review=waiting.id, decision=decision, ticket=ticket_on(sent))
        asks = review.reason_modal(waiting.id, decision)
        return asks | {"private_metadata": str(remembered)}

    desk.open(sent, view)


# --- settings --------------------------------------------------------------------------------


def settings(sent: Sent[Actions], desk: Desk) -> None:
    """Open the settings of the workspace, and of the channel that the button names."""
    stored, tenant = desk.services.store.settings, sent.tenant
    value = sent.payload.pressed.chosen
    channel = value if value.startswith(("C", "G")) else None

    def view() -> Payload:
        if refused := _not_an_admin(sent, desk):
            return refused
        brand = stored.channel_brand(tenant, channel) if channel else None
        return settings_forms.workspace_modal(stored.workspace(tenant), channel, brand)

    desk.open(sent, view)


def brand_settings(sent: Sent[Actions], desk: Desk) -> None:
    """Open the settings of the brand that the button names."""
    stored, tenant, brand = desk.services.store.settings, sent.tenant, sent.payload.pressed.chosen

    def view() -> Payload:
        if refused := _not_an_admin(sent, desk):
            return refused
        gate = desk.services.scoring.scorer(tenant).voice(brand).manifest.gate
        return settings_forms.brand_modal(stored.brand(tenant, brand), gate)

    desk.open(sent, view)


def _not_an_admin(sent: Sent[Actions], desk: Desk) -> Payload | None:
    refused = permission.to_configure(sent.tenant, sent.payload.user.id, desk.services)
    return None if refused is None else pages.told(refused)
