"""A brand's week in a channel: figures, what changed, what waits. Of people, only their number."""

from __future__ import annotations

from datetime import date, timedelta

from onbrand.report.message import plural
from onbrand.voice.profile import STYLE_MARKERS
from onbrand_slack.answer import DigestFigures
from onbrand_slack.names import COMMAND
from onbrand_slack.render import elements as el
from onbrand_slack.render import headline
from onbrand_slack.render.text import clean, clip, escape
from onbrand_slack.work.calls import Payload

MOST_HABITS = 3
_TOO_MUCH = {
    "words_per_sentence": "long sentences",
    "letters_per_word": "long words",
    "reading_grade": "hard reading",
}
"""Of the habits that are no `STYLE_MARKERS`."""
_DECISIONS = {
    "approve": "approved",
    "reject": "rejected",
    "changes": "sent back for changes",
    "reopen": "reopened",
}


def message(week: DigestFigures) -> Payload:
    """Return the digest."""
    title = f"{headline.name(week.brand)}, {_days(week.week)}"
    blocks = [el.header(f"🗓️ {title}")]
    if not week.checks:
        blocks.append(el.section(_quiet(week)))
    else:
        blocks += [el.section(_lead(week)), el.fields(*_figures(week))]
        if week.habits:
            blocks.append(el.section(_habits(week)))
    if todo := _todo(week):
        blocks.append(el.section(todo))
    blocks.append(
        el.context(
            "From onbrand's own store, without any draft. "
            f"Admins turn the digest off in its Home tab or with `{COMMAND} settings`."
        )
    )
    return el.message(f"{escape(title)}. {_lead(week) if week.checks else _quiet(week)}", blocks)


def _days(week: str) -> str:
    """Return "16–22 November 2026" for "2026-W47"; the week as it is where it is none."""
    try:
        first = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    except ValueError:
        return week
    last = first + timedelta(days=6)
    begin = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
    return f"{begin}–{last.day} {last:%B %Y}"


def _quiet(week: DigestFigures) -> str:
    before = f"; the week before there were {week.checks_before:,}" if week.checks_before else ""
    return f"A quiet week: no draft was checked{before}."


def _lead(week: DigestFigures) -> str:
    people = "1 person" if week.writers == 1 else f"{week.writers:,} people"
    return (
        f"{people} checked {plural(week.checks, 'draft')}; {week.forward:,} went forward at once."
    )


def _figures(week: DigestFigures) -> list[str]:
    decided = sum(week.reviews_decided.get(key, 0) for key in ("approve", "reject", "changes"))
    made = [
        f"*Drafts checked*\n{week.checks:,}  {_change(week.checks, week.checks_before)}",
        f"*Went forward at once*\n{_forward(week)}",
        f"*Average P(on-brand)*\n{_mean(week)}",
        f"*Sent to review*\n{week.reviews_opened:,} sent, {decided:,} decided",
    ]
    labels = week.labels_on + week.labels_off
    if labels:
        sides = f"{week.labels_on:,} on-brand, {week.labels_off:,} off-brand"
        made.append(f"*Sentences labelled*\n{sides}")
    if any(week.reviews_decided.values()):
        made.append(f"*Decisions*\n{_decisions(week)}")
    return made


def _change(now: int, before: int) -> str:
    return f"{_sign(now - before)} from {before:,}"


def _forward(week: DigestFigures) -> str:
    now = week.forward / week.checks
    if not week.checks_before:
        return f"{now:.0%}"
    before = week.forward_before / week.checks_before
    return f"{now:.0%}  {_sign(now - before, 0.005)} from {before:.0%}"


def _mean(week: DigestFigures) -> str:
    now, before = week.mean_probability, week.mean_probability_before
    if now is None:
        return "–"
    return f"{now:.2f}" + (
        f"  {_sign(now - before, 0.005)} from {before:.2f}" if before is not None else ""
    )


def _sign(change: float, least: float = 0.5) -> str:
    return "=" if abs(change) < least else "▲" if change > 0 else "▼"


def _decisions(week: DigestFigures) -> str:
    counts = {_DECISIONS.get(key, key): count for key, count in week.reviews_decided.items()}
    return ", ".join(f"{count:,} {escape(name)}" for name, count in counts.items() if count)


def _habits(week: DigestFigures) -> str:
    named = [f"{_habit(name)} ({count:,})" for name, count in week.habits[:MOST_HABITS]]
    return f"*What flagged sentences had most often*\n{', '.join(named)}"


def _habit(name: str) -> str:
    return (
        STYLE_MARKERS[name].name
        if name in STYLE_MARKERS
        else _TOO_MUCH.get(name) or escape(clip(clean(name), 60))
    )


def _todo(week: DigestFigures) -> str:
    """Return what a person could do now."""
    made = []
    if week.reviews_waiting:
        verb = "waits" if week.reviews_waiting == 1 else "wait"
        made.append(f"📬  {plural(week.reviews_waiting, 'draft')} {verb} for a decision")
    if week.disputed:
        verb = "is" if week.disputed == 1 else "are"
        told = "worth five minutes together: the brand's voice learns from the outcome"
        made.append(f"💬  {plural(week.disputed, 'sentence')} {verb} disputed; {told}")
    return "\n".join(made)
