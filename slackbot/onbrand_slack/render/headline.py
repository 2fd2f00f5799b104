"""What stands above every answer: the verdict, its figures, where it came from, what changed."""

from __future__ import annotations

from onbrand.report.message import (
    capitalised,
    draft_message,
    draft_reasons,
    fault,
    format_probability,
    plural,
    reads_most_like,
    tally,
    to_avoid,
)
from onbrand.results import Report, is_brand
from onbrand_slack.answer import Answer, Change, Status
from onbrand_slack.render.elements import channel, context, header, lines, plain, rich, run
from onbrand_slack.render.text import clean, clip, escape, is_link
from onbrand_slack.work.calls import Payload

CELLS = 20
WARNINGS = 3
AGAIN = "🔁 Again: onbrand was interrupted, so you may see this answer twice."
# Signs of different shapes: none is told from another by its colour.
MEND_SIGN = "🔧"
REVIEW_SIGNS: dict[Status, tuple[str, str]] = {
    "open": ("📬", "Sent to review"),
    "approved": ("✅", "Approved by a reviewer"),
    "rejected": ("✖️", "Rejected by a reviewer"),
    "changes": ("✏️", "A reviewer asks for changes"),
}


def blocks(answer: Answer) -> list[Payload]:
    """Return the verdict, the review's state, and the notes, in small blocks that always fit."""
    report = answer.report
    said = _figures(report)
    if answer.change is not None:
        sign, rest = changed(report, answer.change)
        said.append([run(f"{sign} ", "bold"), run(rest)])
    if answer.review is not None:
        said.append(_review(answer.review, answer.review_channel))
    made = [header(title(report)), rich(lines(*said))]
    if answer.again:
        made.insert(0, context(plain(AGAIN)))
    if origin := _origin(answer):
        made.append(context(*origin))
    if report.warnings:
        made.append(context(*(plain(f"⚠️ {_sentence(w)}") for w in report.warnings[:WARNINGS])))
    return made


def fallback(answer: Answer) -> str:
    """Return the verdict in one escaped line, for notifications and screen readers."""
    text = draft_message(answer.report, places=False)
    if answer.change is not None:
        text += " " + " ".join(changed(answer.report, answer.change))
    return ("Again: " if answer.again else "") + escape(clip(text, 500))


def title(report: Report) -> str:
    """Return the verdict as a headline."""
    if not is_brand(report.brand):
        return _title_without_a_brand(report)
    brand = name(report.brand)
    if report.verdict == "forward" and report.mend:
        what = plural(len(report.mend), "sentence")
        return f"{MEND_SIGN} Forward for {brand}, but mend {what} first"
    if report.verdict == "forward":
        return f"✅ Good to go: sounds like {brand}"
    if report.verdict == "review":
        return f"👀 Human review: not quite {brand} yet"
    return f"➖ Not judged for {brand}"


def _title_without_a_brand(report: Report) -> str:
    if report.verdict == "forward":
        return "✅ Good to go: reads like nothing to avoid"
    if report.verdict == "review":
        like = " and ".join(reads_most_like(report)[:2])
        return f"👀 Human review: reads like {like or 'what is to be avoided'}"
    return "➖ Not judged"


def name(brand: str) -> str:
    """Return a brand's name, no longer than fits anywhere; "no brand" where none judged."""
    if not is_brand(brand):
        return "no brand"
    return clip(clean(brand), 60) or "–"


def _figures(report: Report) -> list[list[Payload]]:
    """Return lines of rich text: the meter with P, and the counts."""
    counts = run(_counts(report))
    if report.probability is None:
        return [[counts]]
    return [scale(report.probability, report.gate), [counts]]


def scale(probability: float, gate: float) -> list[Payload]:
    """Return P and the gate in rich text: as a meter, and in figures."""
    p = run(f"P {format_probability(probability, gate)}", "bold")
    return [run(meter(probability, gate) + "  "), p, run(f" · the gate is {gate:.2f}")]


def _counts(report: Report) -> str:
    counts = tally(report)
    if report.verdict == "forward" and not report.flagged:
        counts = f"nothing to mend: {counts}"
    elif report.verdict == "review" and not report.flagged:
        whole = "is not close enough" if is_brand(report.brand) else "reads like one"
        counts += f"; none stands out, the draft as a whole {whole}"
    if why := draft_reasons(report):
        counts += f"; {why}"
    return capitalised(clip(clean(counts), 200)) + "."


def meter(probability: float, gate: float) -> str:
    """Return a bar with the gate marked: filled up to P, and past the mark only where P is."""
    mark = min(max(round(gate * CELLS), 0), CELLS)
    filled = int(probability * CELLS)
    filled = max(filled, mark) if probability >= gate else min(filled, mark - 1)
    bar = "▰" * filled + "▱" * (CELLS - max(filled, 0))
    return f"{bar[:mark]}┃{bar[mark:]}"


def changed(report: Report, change: Change) -> tuple[str, str]:
    """Return by how much P changed since the version before, and what else did."""
    still = f"still {fault(report.brand)}"
    counts = [(change.mended, "mended"), (change.new, "new"), (change.still, still)]
    said = ", ".join(f"{count:,} {what}" for count, what in counts if count) or "no other change"
    if change.verdict == "review" and report.verdict == "forward":
        said += "; now past the gate"
    if report.probability is None or change.before is None:
        return "Since the last version:", f"{said}."
    by = round(report.probability - change.before, 2)
    sign = "▲ +" if by > 0 else "▼ −" if by < 0 else "= ±"
    return f"{sign}{abs(by):.2f}", f"since the last version: {said}."


def _review(status: Status, where: str | None) -> list[Payload]:
    sign, text = REVIEW_SIGNS[status]
    place = [run(" in "), channel(where)] if where else []
    return [run(f"{sign} "), run(text, "bold"), *place]


def _origin(answer: Answer) -> list[str | Payload]:
    made: list[str | Payload] = []
    if answer.title:
        made.append(plain(f"📄 {clip(clean(answer.title), 80)}"))
    if said := judged_as(answer):
        made.append(plain(said))
    if is_link(answer.link):
        made.append(f"<{escape(answer.link)}|The message>")
    return made


def judged_as(answer: Answer) -> str:
    """Return by what a draft was judged, and why by that; empty where its author named a brand."""
    brand, reason = answer.report.brand, clip(clean(answer.brand_reason), 120)
    because = f": {reason}" if reason else ""
    if not is_brand(brand):
        return f"Must not read like {to_avoid(brand)}{because}"
    return f"Judged as {name(brand)}{because}" if because else ""


def _sentence(text: str) -> str:
    return capitalised(clip(clean(text), 200)).rstrip(".") + "."
