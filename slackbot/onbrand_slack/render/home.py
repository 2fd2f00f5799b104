"""The App Home: what a user can do, what waits for them, what they did, and the brands."""

from __future__ import annotations

from onbrand.report.message import fault, format_probability, plural
from onbrand.results import Verdict
from onbrand_slack.answer import BrandSettings, HomePage, PastCheck, Review
from onbrand_slack.model import Source
from onbrand_slack.names import COMMAND, Action
from onbrand_slack.render import elements as el
from onbrand_slack.render import headline, marks, words
from onbrand_slack.render.settings import brand_line
from onbrand_slack.render.text import escape
from onbrand_slack.work.calls import Payload

MOST_REVIEWS = 15
MOST_OWN = 5
MOST_CHECKS = 8
MOST_BRANDS = 40

_SIGNS: dict[Verdict, str] = {"forward": "✅", "review": "👀", "not judged": "➖"}
_SOURCES: dict[Source, str] = {
    Source.COMMAND: "by command",
    Source.MENTION: "by mention",
    Source.MESSAGE: "by direct message",
    Source.SHORTCUT: "from a message's menu",
    Source.MODAL: "by form",
    Source.WORKFLOW: "by workflow",
}
_FORGET = el.confirm(
    "Delete your data?",
    "Your checks, drafts, labels and own brand are deleted now, and reviews of your drafts are "
    "closed. What you decided on other people's drafts stays, without your name and reasons.",
    "Delete",
)


def page(shown: HomePage) -> Payload:
    """Return a user's App Home."""
    parts = [_problem(shown), _start(shown), _waiting(shown), _own(shown), _recent(shown)]
    parts += [_brands(shown), _privacy(shown), _admin(shown)]
    return el.home([block for part in parts for block in part])


def _problem(shown: HomePage) -> list[Payload]:
    if shown.problem:
        return [el.section(el.plain(f"⚠️ {shown.problem}"))]
    if shown.brands:
        return []
    none = words.without_brands(shown.avoided)
    return [el.header("Welcome to onbrand"), el.section(none)]


def _start(shown: HomePage) -> list[Payload]:
    if not shown.brands and shown.avoided is None:
        return []
    begins = el.actions(el.button("Check a draft", Action.HOME_CHECK, "home", style="primary"))
    if not shown.brands:
        return [begins]
    brand = shown.default_brand
    initial = el.option(brand, brand) if brand else None
    return [
        begins,
        el.section(
            "*Your own brand*\nCounts where you name no other and the channel has none.",
            accessory=el.external_select(Action.HOME_BRAND, "Choose a brand", initial),
        ),
    ]


# --- reviews ----------------------------------------------------------------------------------


def _waiting(shown: HomePage) -> list[Payload]:
    if not shown.reviews:
        return []
    blocks = [el.header(f"📬 {plural(len(shown.reviews), 'draft')} waiting for your decision")]
    for review in shown.reviews[:MOST_REVIEWS]:
        asked = f"{marks.person(review.author)} · {marks.moment(review.opened)}"
        blocks.append(el.section(f"{_scored(review)}{_door(review, 'Decide')}\n{asked}"))
    return [*blocks, *_more(len(shown.reviews) - MOST_REVIEWS)]


def _own(shown: HomePage) -> list[Payload]:
    if not shown.own_reviews:
        return []
    blocks = [el.header("Your drafts in review")]
    for review in shown.own_reviews[:MOST_OWN]:
        door = _door(review, "See what was said")
        blocks.append(el.section(f"{_scored(review)}{door}\n{_stands(review)}"))
    return [*blocks, *_more(len(shown.own_reviews) - MOST_OWN)]


def _scored(review: Review) -> str:
    p = "" if review.probability is None else f"  P {format_probability(review.probability, 1)}"
    return f"*{escape(review.brand)}*{p}"


def _stands(review: Review) -> str:
    sign, text = headline.REVIEW_SIGNS[review.status]
    last = review.history[-1] if review.history else None
    if review.status == "open" or last is None:
        return f"{sign} {text} · {marks.moment(review.opened)}"
    return f"{sign} {text} · {marks.moment(last.time)}"


def _door(review: Review, text: str) -> str:
    url = marks.message_url(review.channel, review.ts)
    return "" if url is None else f" · {marks.link(url, text)}"


def _more(hidden: int) -> list[Payload]:
    return [el.context(f"and {hidden:,} more")] if hidden > 0 else []


# --- checks -----------------------------------------------------------------------------------


def _recent(shown: HomePage) -> list[Payload]:
    if not shown.brands and not shown.recent and shown.avoided is None:
        return []
    blocks = [el.header("Your recent checks")]
    if not shown.recent:
        brand = shown.default_brand or (shown.brands[0].brand if shown.brands else "")
        first = f"`{COMMAND} {escape(brand)} {words.TRY}`" if brand else f"`{COMMAND} {words.TRY}`"
        return [*blocks, el.section(f"Nothing yet. Try this in any channel:\n{first}")]
    return blocks + [_past(check) for check in shown.recent[:MOST_CHECKS]]


def _past(check: PastCheck) -> Payload:
    p = (
        ""
        if check.probability is None
        else f"  P {format_probability(check.probability, check.gate)}"
    )
    tally = f"{check.flagged:,} of {plural(check.judged, 'sentence')} {fault(check.brand)}"
    url = marks.message_url(check.channel, check.ts)
    came = marks.link(url, "the message") if url else _SOURCES[check.source]
    text = f"{_SIGNS[check.verdict]} *{escape(headline.name(check.brand))}*{p} · {tally}"
    opens = el.button("Open", Action.HOME_OPEN_CHECK, check.ticket) if check.ticket else None
    return el.section(f"{text}\n{marks.moment(check.time)} · {came}", accessory=opens)


# --- brands, privacy, administration ----------------------------------------------------------


def _brands(shown: HomePage) -> list[Payload]:
    if not shown.brands:
        return []
    rows = [_brand(settings, shown) for settings in shown.brands[:MOST_BRANDS]]
    none = [] if shown.avoided is None else [el.context(words.where_none_is_named(shown.avoided))]
    return [el.header("Brands"), *rows, *_more(len(shown.brands) - MOST_BRANDS), *none]


def _brand(settings: BrandSettings, shown: HomePage) -> Payload:
    brand = settings.brand
    opens = el.button("Settings", Action.HOME_BRAND_SETTINGS, brand) if shown.is_admin else None
    handled = brand_line(settings, shown.voice_gates.get(brand))
    return el.section(f"*{escape(brand)}*\n{handled}", accessory=opens)


def _privacy(shown: HomePage) -> list[Payload]:
    days = shown.settings.retention_days
    kept = f"kept for {plural(days, 'day')}" if days else "not kept: only scores are"
    forget = el.button("Delete my data", Action.HOME_FORGET_ME, shown.user, confirm=_FORGET)
    return [el.divider(), el.section(f"Drafts are {kept}.", accessory=forget)]


def _admin(shown: HomePage) -> list[Payload]:
    if not shown.is_admin:
        return []
    return [
        el.actions(
            el.button("Workspace settings", Action.HOME_SETTINGS, "workspace"),
            el.button("Export the audit", Action.HOME_AUDIT, "audit"),
        )
    ]
