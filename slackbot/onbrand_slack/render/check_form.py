"""The modal with a draft box: a new check, or the next version of a draft."""

from __future__ import annotations

from dataclasses import dataclass, field

from onbrand_slack.names import Action, View
from onbrand_slack.render import elements as el
from onbrand_slack.render import inputs
from onbrand_slack.render.text import clean, endings, length, listed_endings
from onbrand_slack.work.calls import Payload

MOST_FILES = 5


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent; it counts only where there are no errors."""

    brand: str | None = None
    text: str = ""
    """Empty where files were sent."""
    files: tuple[str, ...] = ()
    """Ids."""
    ticket: str | None = None
    """Of the version before, for a re-check."""
    channel: str | None = None
    """Where it was asked."""
    errors: dict[str, str] = field(default_factory=dict)
    """By block id, for ``response_action="errors"``."""


def view(
    brand: str | None,
    draft: str | None = None,
    *,
    ticket: str | None = None,
    channel: str | None = None,
) -> Payload:
    """Return the modal.

    Args:
        brand: chosen at first.
        draft: the text of the version before.
        ticket: of the version before.
        channel: where it was asked.
    """
    text = clean(draft or "", lines=True).strip()
    fits = length(text) <= inputs.LONGEST
    blocks = [] if fits else [_too_long()]
    blocks += [
        el.input_block(
            "Brand",
            el.external_select(Action.BRAND, "Choose a brand", inputs.brand_option(brand))
            if brand
            else el.external_select(Action.BRAND, "Choose a brand"),
        ),
        el.input_block(
            "Draft",
            inputs.text_box(
                Action.DRAFT,
                initial=text if fits else None,
                placeholder="Paste the copy here, just as it is going to be read.",
            ),
            hint=f"Up to {inputs.LONGEST:,} characters; longer drafts come as a file.",
            optional=True,
        ),
        el.input_block(
            "Or files",
            inputs.file_box(Action.FILE, [e[1:] for e in endings()], MOST_FILES),
            hint=f"{listed_endings('or')}, up to {MOST_FILES}; each is a draft of its own.",
            optional=True,
        ),
        el.context("Only you will see the answer, until you share it."),
    ]
    return el.modal(
        View.CHECK,
        "Check brand voice" if ticket is None else "Check the new version",
        blocks,
        metadata=str(inputs.Remembered(ticket=ticket, channel=channel)),
        submit="Check",
        close="Cancel",
    )


def _too_long() -> Payload:
    return el.section(
        f"This draft is longer than the {inputs.LONGEST:,} characters that fit in the box. "
        "Drop the new version below as a file."
    )


def read(view: object) -> Form:
    """Read the modal that Slack sends when "Check" is pressed."""
    state, remembered = inputs.State(view), inputs.Remembered.of(view)
    form = Form(
        brand=state.chosen(Action.BRAND),
        text=state.text(Action.DRAFT),
        files=tuple(state.files(Action.FILE))[:MOST_FILES],
        ticket=remembered.ticket,
        channel=remembered.channel,
    )
    form.errors.update(_errors(form))
    return form


def _errors(form: Form) -> dict[str, str]:
    if form.brand is None:
        return {Action.BRAND: "Choose the brand to check against."}
    if not form.text and not form.files:
        return {Action.DRAFT: "Paste a draft here, or drop a file below."}
    if form.text and form.files:
        return {Action.FILE: "Either the box or files, please: empty one of them."}
    return {}
