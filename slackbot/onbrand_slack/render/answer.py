"""The answer to a check: a headline that says what to do, then the sentences that matter most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onbrand.report.message import plural
from onbrand.results import Report, is_brand
from onbrand_slack.answer import Answer
from onbrand_slack.names import COMMAND, Action
from onbrand_slack.render import headline, sentence
from onbrand_slack.render.elements import (
    ROOM,
    Style,
    actions,
    button,
    context,
    divider,
    external_select,
    line,
    message,
    rich,
    run,
    section,
    size,
    user,
)
from onbrand_slack.render.elements import plain as plain_text
from onbrand_slack.render.sentence import Room
from onbrand_slack.render.text import clean, clip, escape
from onbrand_slack.work.calls import Payload

WORST = 5
WORST_SHARED = 3
LADDER = (
    (WORST, Room(600)),
    (WORST, Room(300, nearest=120)),
    (WORST, Room(160, habits=1, nearest=0)),
    (2, Room(100, habits=0, nearest=0)),
    (0, Room(0)),
)
"""How many sentences and how much of each: the first step that fits into a message is taken."""


def private(answer: Answer) -> Payload:
    """Return the whole answer, for the one who asked."""
    blocks = body(answer, headline.blocks(answer), [buttons(answer)])
    return message(headline.fallback(answer), blocks)


def short(answer: Answer) -> Payload:
    """Return the answer without sentences, for where Slack finds the whole one too long."""
    blocks = [*headline.blocks(answer), buttons(answer)]
    return message(headline.fallback(answer), blocks)


def plain(answer: Answer) -> Payload:
    """Return the answer as text only, for where Slack takes no blocks."""
    lines = [headline.fallback(answer)]
    for index in worst(answer.report, WORST_SHARED):
        flagged = answer.report.sentences[index]
        text = escape(clip(clean(flagged.text), 200))
        lines.append(f"• {text} (P {escape(sentence.probability(flagged))})")
    return {"text": "\n".join(lines)}


def shared(answer: Answer) -> Payload:
    """Return the answer for a channel to see: neutral, and nobody but who shared it is named."""
    answer = replace(answer, brand_reason="")  # "your own brand": whose?
    by = rich(line(user(answer.user), run(" shared a check of a draft:")))
    top, bottom = [by, *headline.blocks(answer)], [actions(_details(answer))]
    blocks = body(answer, top, bottom, most=WORST_SHARED, names=False)
    return message(headline.fallback(answer), blocks)


def pick_brand(ticket: str, brands: Sequence[str]) -> Payload:
    """Ask which brand a draft is to be judged by; the select's block id is the check's ticket."""
    text = "Which brand should this draft sound like?"
    hint = f"{plural(len(brands), 'brand')}. `{COMMAND} use BRAND` keeps your choice for next time."
    select = external_select(Action.PICK_BRAND, "Choose a brand")
    return message(text, [section(f"*{text}*", accessory=select, block_id=ticket), context(hint)])


def notice(text: str, *, sign: str = "") -> Payload:
    """Return a line of ours, or an error's, as a message of its own; ``text`` may be anything."""
    said = clip(clean(text), 1000)
    return message(escape(said), [rich(line(run(f"{sign} {said}" if sign else said)))])


def trouble(text: str) -> Payload:
    """Return what went wrong and its mend."""
    return notice(text, sign="⚠️")


# --- pieces -----------------------------------------------------------------------------------


def worst(report: Report, limit: int) -> list[int]:
    """Return the indexes of the flagged sentences with the lowest P, the worst first."""
    flagged = [(s.probability or 0, i) for i, s in enumerate(report.sentences) if s.flagged]
    return [index for _, index in sorted(flagged)[:limit]]


def body(
    answer: Answer,
    top: list[Payload],
    bottom: list[Payload],
    *,
    most: int = WORST,
    names: bool = True,
) -> list[Payload]:
    """Return as many of the worst sentences, and as much of each, as fit between two parts."""
    blocks: list[Payload] = []
    for count, room in LADDER:
        middle = worst_blocks(answer, min(count, most), room, names=names)
        blocks = [*top, *middle, *bottom]
        if size(blocks) <= ROOM:
            break
    return blocks


def worst_blocks(answer: Answer, limit: int, room: Room, *, names: bool) -> list[Payload]:
    """Return the worst sentences, and how many more there are."""
    chosen = worst(answer.report, limit)
    if not chosen:
        return []
    made = []
    for index in chosen:
        made += [divider(), *sentence.blocks(answer, index, room, names=names)]
    brand = answer.report.brand
    against = headline.name(brand) if is_brand(brand) else "the draft"
    notes = [f"Bold words speak most against {against}."]
    if rest := len(answer.report.flagged) - len(chosen):
        more = plural(rest, "more off-brand sentence") if is_brand(brand) else f"{rest:,} more"
        notes.append(f"{more} in Details.")
    return [*made, divider(), context(plain_text(" ".join(notes)))]


def buttons(answer: Answer, *, share: bool = True) -> Payload:
    """Return what can be done with a checked draft."""
    report, ticket = answer.report, answer.ticket
    row = [_details(answer)]
    if share:
        good = report.verdict == "forward" and not report.mend
        style: Style | None = "primary" if good else None
        row.append(button("Share to channel", Action.SHARE, ticket, style=style))
    if report.verdict == "review" and answer.review_channel and answer.review is None:
        row.append(button("Send to review", Action.SEND_TO_REVIEW, ticket, style="primary"))
    if answer.can_recheck:
        row.append(button("Re-check", Action.RECHECK, ticket))
    row.append(button("Full report", Action.REPORT, ticket))
    return actions(*row)


def _details(answer: Answer) -> Payload:
    return button("Details", Action.DETAILS, answer.ticket)
