"""What onbrand says without a draft: help, brands, confirmations, queues and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from onbrand.report.message import plural, to_avoid
from onbrand_slack.answer import BrandSettings
from onbrand_slack.names import COMMAND, Action
from onbrand_slack.render import elements as el
from onbrand_slack.render import marks
from onbrand_slack.render.answer import notice as notice
from onbrand_slack.render.answer import trouble as trouble
from onbrand_slack.render.settings import brand_line
from onbrand_slack.render.text import endings, escape
from onbrand_slack.work.calls import Payload

MOST_BRANDS = 40
"""In a list; nobody reads on."""
TRY = "We leverage best-in-class synergies to unlock value. It costs £4 a month, and that is all."
"""A draft for the first try: what hardly any brand would write, then what many would."""

_PROMISE = (
    "I read a draft as your brand would: which sentences do not sound like it, which words did it, "
    "and the nearest line that does. Only you see what I say, until you share it."
)
NO_BRANDS = (
    "There are no brands yet. Whoever runs onbrand trains a voice from examples of your copy "
    "(`onbrand train`), puts it into the folder of voices, and it is here within a minute."
)


def without_brands(avoided: str | None) -> str:
    """Return what is said where there are no brands, in mrkdwn.

    Args:
        avoided: what judges all the same, see `Scoring.avoided`.
    """
    if avoided is None:
        return NO_BRANDS
    return (
        "There are no brands yet, and none is needed: drafts must not read like "
        f"{escape(to_avoid(avoided))}. To sound like a brand they need its voice: whoever runs "
        "onbrand trains one from its published copy (`onbrand train`)."
    )


def where_none_is_named(avoided: str) -> str:
    """Return by what a draft is judged for which nothing names a brand, in mrkdwn."""
    return f"Where nothing names a brand, drafts must not read like {escape(to_avoid(avoided))}."


# --- help -------------------------------------------------------------------------------------


def guide(brand: str | None = None) -> Payload:
    """Return what onbrand can do, with an example for each way in; ``brand`` is for examples."""
    name = f"{escape(brand)} " if brand else ""
    ways = [
        f"`{COMMAND} {name}We ship on Tuesday.` – a line or two, here and now",
        "*Check brand voice*, in the menu (`⋮`) of a message – what a colleague wrote",
        "`@onbrand We ship on Tuesday.` – in a channel",
        "`@onbrand` in a thread – its first message; `@onbrand summary`: all of them",
        f"*A message to me* – a draft, or files ({', '.join(endings())})",
        "*Check a draft*, among the shortcuts (`+`) and in my Home tab – a whole page",
        "*Check copy* – a step for Workflow Builder",
    ]
    commands = [
        f"`{COMMAND} brands` – which brands there are",
        f"`{COMMAND} use {name.strip() or 'BRAND'}` – your own brand from now on",
        f"`{COMMAND} settings` – brand, gate and review channel of this channel",
    ]
    blocks = [
        el.section(_PROMISE),
        el.section("*Ways to check a draft*\n" + _bullets(ways)),
        el.section("*Good to know*\n" + _bullets(commands)),
        el.actions(el.button("Check a draft", Action.HOME_CHECK, "help", style="primary")),
        el.context(
            "On-brand and Off-brand below a sentence teach the voice. Drafts are not kept unless "
            "your workspace says so."
        ),
    ]
    return el.message(f"{_PROMISE} Try: {COMMAND} {name}We ship on Tuesday.", blocks)


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"•  {line}" for line in lines)


def brands(
    settings: Sequence[BrandSettings],
    *,
    own: str | None = None,
    channel: str | None = None,
    channel_brand: str | None = None,
    avoided: str | None = None,
) -> Payload:
    """Return the list of brands, with the user's own and the channel's marked."""
    if not settings:
        none = without_brands(avoided)
        return el.message(none, [el.section(none)])
    first = sorted(settings, key=lambda s: (s.brand not in (own, channel_brand), s.brand))
    lines = []
    for one in first[:MOST_BRANDS]:
        tags = [" _(yours)_"] if one.brand == own else []
        if one.brand == channel_brand:
            tags.append(f" _({marks.place(channel) if channel else 'this channel'})_")
        lines.append(f"*{escape(one.brand)}*{''.join(tags)} – {brand_line(one)}")
    rows = [el.section(_bullets(lines[at : at + 8])) for at in range(0, len(lines), 8)]
    shown = fitting(rows, el.ROOM - 1000)
    hidden = len(settings) - sum(row["text"]["text"].count("•  *") for row in shown)
    more = [el.context(f"and {hidden:,} more: begin to type a name where you choose a brand")]
    told = el.context(
        f"`{COMMAND} use BRAND` makes one yours. An answer always says which brand it was "
        "checked against, and why that one.",
        *([] if avoided is None else [where_none_is_named(avoided)]),
    )
    return el.message(
        f"{plural(len(settings), 'brand')}: " + ", ".join(escape(s.brand) for s in first[:8]),
        [*shown, *(more if hidden else []), told],
    )


def fitting(blocks: Sequence[Payload], room: int, most: int = 45) -> list[Payload]:
    """Return as many blocks as go into ``room`` characters, from the first on."""
    kept: list[Payload] = []
    for block in blocks[:most]:
        room -= el.size([block])
        if room < 0:
            break
        kept.append(block)
    return kept


def chosen(brand: str | None) -> Payload:
    """Return what "use BRAND" is answered with."""
    if brand is None:
        return notice("You have no brand of your own now: a channel's brand counts, else I ask.")
    text = (
        f"Your drafts are checked as *{escape(brand)}* from now on, unless you name another brand. "
        "A channel's own brand comes first there."
    )
    return el.message(text, [el.section(text)])


def unknown_brand(brand: str, known: Sequence[str]) -> Payload:
    """Return the answer to a brand that is none."""
    if not known:
        return el.message(NO_BRANDS, [el.section(NO_BRANDS)])
    some = ", ".join(known[:8]) + (f" and {len(known) - 8:,} more" if len(known) > 8 else "")
    return notice(f"I know no brand “{brand}”. There is {some}.")


# --- the queue --------------------------------------------------------------------------------


def in_line(ahead: int, seconds: float) -> Payload:
    """Return the acknowledgement where the answer takes more than a moment."""
    return notice(
        f"{plural(ahead, 'draft')} before yours; your answer is here in {_span(seconds)}."
    )


def queue_full(minutes: float) -> Payload:
    """Return the acknowledgement where no more drafts are taken for now."""
    return notice(
        "onbrand is busy: too many drafts are waiting, and yours was not taken. Please try again "
        f"in {_span(minutes * 60)}."
    )


def _span(seconds: float) -> str:
    if seconds < 55:
        return f"about {max(5, round(seconds / 5) * 5)} seconds"
    return f"about {plural(max(1, round(seconds / 60)), 'minute')}"


# --- refusals ---------------------------------------------------------------------------------

Doing = Literal["label", "decide", "configure"]
_DOING: dict[Doing, str] = {
    "label": "label sentences",
    "decide": "decide on drafts",
    "configure": "change settings",
}


def stranger(doing: Doing) -> Payload:
    """Return the refusal for somebody who is here through Slack Connect."""
    return notice(
        f"Only members of the workspace that onbrand belongs to can {_DOING[doing]}; you are here "
        "through a shared channel. Checking your own drafts works."
    )


def not_allowed(doing: Doing, allowed: tuple[str, ...] = ()) -> Payload:
    """Return the refusal for somebody whom the settings leave out; ``allowed`` may do it."""
    who = f"{marks.people(allowed)} can" if allowed else "The admins of this workspace can"
    text = f"You cannot {_DOING[doing]} here. {who}."
    return el.message(text, [el.section(text)])


def sent_to_review(channel: str) -> Payload:
    """Return what an author is told whose draft is in the review channel."""
    text = f"📬 Your draft is in {marks.place(channel)}. You hear from me when somebody decides."
    return el.message(text, [el.section(text)])


EXPIRED = (
    "This draft is no longer kept: the working copy of a check is deleted after a day. Check it "
    "again, and all the buttons work."
)


# --- the agent view ---------------------------------------------------------------------------


def prompts(brands: Sequence[str], own: str | None = None) -> list[dict[str, str]]:
    """Return up to four prompts that begin a conversation; each is sent as it stands."""
    made = [
        {"title": "See what an answer looks like", "message": TRY},
        {"title": "What can you do?", "message": "help"},
        {"title": "Which brands are there?", "message": "brands"},
    ]
    other = next((brand for brand in brands if brand != own), None)
    if other is not None:
        made.append({"title": f"Check my drafts as {other}", "message": f"use {other}"})
    return made
