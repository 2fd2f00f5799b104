"""A thread's drafts at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from onbrand.report.message import fault, format_probability, plural, to_avoid
from onbrand.results import Verdict, is_brand
from onbrand_slack.answer import ThreadLine
from onbrand_slack.render.elements import (
    ROOM,
    context,
    header,
    link,
    message,
    plain,
    rich,
    run,
    size,
    user,
)
from onbrand_slack.render.elements import (
    lines as paragraph,
)
from onbrand_slack.render.headline import MEND_SIGN, name
from onbrand_slack.render.text import clean, clip, escape, is_link
from onbrand_slack.work.calls import Payload

SHOWN = 15
SIGNS: dict[Verdict, str] = {"forward": "✅", "review": "👀", "not judged": "➖"}
WORDS: dict[Verdict, str] = {
    "forward": "good to go",
    "review": "for human review",
    "not judged": "not judged",
}


def summary(lines: Sequence[ThreadLine], brand: str, *, brand_reason: str = "") -> Payload:
    """Return the verdict on each message of a thread; private, as it names who wrote them.

    Args:
        lines: the messages, oldest first.
        brand: what they were judged by.
        brand_reason: where the brand came from, as a clause.
    """
    said = _tally(lines)
    judged = f"judged as {name(brand)}" if is_brand(brand) else "judged without a brand"
    title = f"Thread: {plural(len(lines), 'message')}, {judged}"
    top = [header(f"🧵 {title}"), rich(paragraph([run(f"{said or 'nothing to judge'}.")]))]
    chosen = _chosen(lines)
    notes = [f"And {len(lines) - len(chosen):,} more."] if len(lines) > len(chosen) else []
    if not is_brand(brand):
        notes.append(f"Must not read like {to_avoid(brand)}.")
    elif brand_reason:
        notes.append(f"Brand: {clip(clean(brand_reason), 120)}.")
    bottom = [context(plain(" ".join(notes)))] if notes else []
    blocks: list[Payload] = []
    for letters in (150, 60, 0):
        items = [_item(one, letters, fault(brand)) for one in chosen]
        blocks = [*top, *([rich(paragraph(*items))] if items else []), *bottom]
        if size(blocks) <= ROOM:
            break
    return message(escape(f"{title}: {said or 'nothing to judge'}."), blocks)


def _tally(lines: Sequence[ThreadLine]) -> str:
    counts = Counter(one.verdict for one in lines)
    said = [f"{counts[verdict]:,} {WORDS[verdict]}" for verdict in SIGNS if counts[verdict]]
    if mended := sum(one.mend > 0 for one in lines):
        said[0] += f" ({mended:,} once mended)"
    return ", ".join(said)


def _chosen(lines: Sequence[ThreadLine]) -> list[ThreadLine]:
    """Return the messages to show, in the thread's order: if not all, those that need a look."""
    order = sorted(
        range(len(lines)),
        key=lambda i: (list(WORDS).index(lines[i].verdict) != 1, lines[i].probability or 1, i),
    )
    return [lines[i] for i in sorted(order[:SHOWN])]


def _item(one: ThreadLine, letters: int, what: str) -> list[Payload]:
    runs = [run(f"{MEND_SIGN if one.mend else SIGNS[one.verdict]} ")]
    if one.user:
        runs += [user(one.user), run("  ")]
    if one.probability is None:
        runs.append(run("Not judged", "bold"))
    else:
        runs.append(run(f"P {format_probability(one.probability, 0)}", "bold"))
        runs.append(run(f" · {one.flagged:,} of {plural(one.judged, 'sentence')} {what}"))
        if one.mend:
            runs.append(run(f", mend {one.mend:,}"))
    if is_link(one.link):
        runs += [run(" · "), link(one.link, "message")]
    if one.worst and letters:
        runs += [run("\n\u2003\u2003"), run(f"“{clip(clean(one.worst), letters)}”", "italic")]
    return runs
