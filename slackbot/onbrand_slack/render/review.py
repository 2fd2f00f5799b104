"""A draft in the review channel, what reviewers say of it, and what its author hears."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from onbrand.report.message import format_probability, plural, tally
from onbrand_slack.answer import Answer, Decided, Decision, Review, Status
from onbrand_slack.names import Action, View
from onbrand_slack.render import answer as answers
from onbrand_slack.render import elements as el
from onbrand_slack.render import headline, inputs, marks
from onbrand_slack.render.inputs import Remembered, State
from onbrand_slack.render.text import clean, clip, escape, length
from onbrand_slack.work.calls import Payload

WORST = 3
HISTORY = ((8, 1000), (4, 1000), (3, 400), (2, 150))
"""How many decisions, the latest, and how much of their reasons; all of them are in the audit."""
SENTENCES_ROOM = 3000
"""Characters of JSON that a history leaves to sentences, while there is something to decide."""
LONGEST_REASON = 1000
MOST_PAGES = 5

_TITLES: dict[Status, str] = {
    "open": "👀 {brand}: a draft to review",
    "approved": "✅ {brand}: approved",
    "rejected": "✖️ {brand}: rejected",
    "changes": "✏️ {brand}: changes asked for",
}
_DID: dict[Decision, str] = {
    "approve": "✅ {who} approved it",
    "reject": "✖️ {who} rejected it",
    "changes": "✏️ {who} asked for changes",
    "reopen": "🔁 {who} reopened it",
}
_WOULD: dict[Decision, str] = {
    "approve": "💬 {who} would approve it",
    "reject": "💬 {who} would reject it",
    "changes": "💬 {who} would ask for changes",
    "reopen": "🔁 {who} would reopen it",
}
"""Of one who decided after somebody else had."""
_OUTCOME: dict[Decision, Status] = {
    "approve": "approved",
    "reject": "rejected",
    "changes": "changes",
    "reopen": "open",
}

# --- in the review channel --------------------------------------------------------------------


def post(review: Review, answer: Answer) -> Payload:
    """Return the message that asks for a decision."""
    return update(review, answer)


def update(review: Review, answer: Answer | None) -> Payload:
    """Return the message as it is after decisions and labels.

    Args:
        review: as it stands.
        answer: the check; None where its working copy is no longer kept.
    """
    top = [el.header(_title(review)), *_figures(review, answer), el.context(_origin(review))]
    buttons = _buttons(review, answer)
    room = el.ROOM - el.size([*top, buttons])
    history = _history(review, room - SENTENCES_ROOM if review.status == "open" else room)
    bottom = [*history, buttons]
    blocks = [*top, *bottom]
    if answer is not None and review.status == "open":
        blocks = answers.body(answer, top, bottom, most=WORST, names=False)
    return el.message(f"{escape(_title(review))}. {_origin(review)}", blocks)


def _title(review: Review) -> str:
    return _TITLES[review.status].format(brand=headline.name(review.brand))


def _figures(review: Review, answer: Answer | None) -> list[Payload]:
    if answer is None:
        p = review.probability
        return (
            [] if p is None else [el.rich(el.line(el.run(f"P {format_probability(p, 1)}", "bold")))]
        )
    report = answer.report
    counts = clip(tally(report), 200)
    if report.probability is None:
        return [el.rich(el.line(el.run(counts)))]
    scale = headline.scale(report.probability, report.gate)
    return [el.rich(el.line(*scale, el.run(f" · {counts}")))]


def _origin(review: Review) -> str:
    asked = f"{marks.person(review.author)} asks for review · {marks.moment(review.opened)}"
    return f"{asked} · the whole draft is in the thread"


def _buttons(review: Review, answer: Answer | None) -> Payload:
    row = []
    if review.status == "open":
        row = [
            el.button("Approve", Action.APPROVE, review.id, style="primary"),
            el.button("Ask for changes", Action.ASK_FOR_CHANGES, review.id),
            el.button("Reject", Action.REJECT, review.id, style="danger"),
        ]
    else:
        row = [el.button("Reopen", Action.REOPEN, review.id)]
    if answer is not None:
        row.append(el.button("Details", Action.DETAILS, answer.ticket))
    return el.actions(*row)


# --- the history ------------------------------------------------------------------------------


def _history(review: Review, room: int) -> list[Payload]:
    blocks: list[Payload] = []
    for count, letters in HISTORY:
        entries = list(_entries(review.history, letters))
        hidden = len(entries) - count
        blocks = [block for entry in entries[-count:] for block in entry]
        if hidden > 0:
            blocks.insert(0, el.context(f"{plural(hidden, 'earlier decision')}: see the audit"))
        if el.size(blocks) <= room:
            break
    return blocks


def _entries(history: Sequence[Decided], letters: int) -> Iterator[list[Payload]]:
    for entry, counts in _counted(history):
        says = (_DID if counts else _WOULD)[entry.decision].format(who=marks.person(entry.user))
        yield [el.context(f"{says} · {marks.moment(entry.time)}"), *_reason(entry, letters)]


def _counted(history: Sequence[Decided]) -> Iterator[tuple[Decided, bool]]:
    """Yield each decision and whether it counts: the first does, until somebody reopens."""
    status: Status = "open"
    for entry in history:
        outcome = _OUTCOME[entry.decision]
        counts = (status == "open") != (outcome == "open")
        if counts:
            status = outcome
        yield entry, counts


def _reason(entry: Decided, limit: int) -> list[Payload]:
    if not entry.reason.strip():
        return []
    return [el.rich(el.quote(el.verbatim(entry.reason, limit)))]


# --- the draft, in the thread -----------------------------------------------------------------

_PAGE = 11_500
"""Characters of JSON for a page's text, which leaves room in `el.ROOM` for what is around it."""
_RUN = 2_500
"""UTF-16 units of one stretch of rich text."""


def draft_pages(text: str) -> list[Payload]:
    """Return the whole draft as messages; none where it takes more than `MOST_PAGES`: upload it."""
    text = clean(text, lines=True).strip()
    if len(text) > MOST_PAGES * _PAGE:
        return []
    pages = list(_cut(text, _PAGE, lambda part: len(json.dumps(part)))) or ["–"]
    if len(pages) > MOST_PAGES:
        return []
    made = []
    for number, page in enumerate(pages, 1):
        title = "The draft" if len(pages) == 1 else f"The draft, page {number} of {len(pages)}"
        runs = [el.run(part) for part in _cut(page, _RUN, length)]
        made.append(el.message(title, [el.context(f"*{title}*"), el.rich(el.line(*runs))]))
    return made


def _cut(text: str, room: int, measure: Callable[[str], int]) -> Iterator[str]:
    """Yield ``text`` in parts that measure no more than ``room``, cut at lines or spaces."""
    while text:
        end = bisect_right(range(len(text) + 1), room, key=lambda end: measure(text[:end])) - 1
        if end < len(text):
            places = ((text.rfind(mark, end // 2, end), len(mark)) for mark in ("\n\n", "\n", " "))
            end = next((place + size for place, size in places if place >= 0), end)
        yield text[:end]
        text = text[end:]


# --- the author, and whoever came second ------------------------------------------------------


def to_author(review: Review, decided: Decided) -> Payload:
    """Return what a draft's author is told of a decision, in a direct message."""
    who, name = marks.person(decided.user), f"*{escape(headline.name(review.brand))}*"
    said = {
        "approve": f"✅ {who} approved your draft for {name}: it can go out.",
        "reject": f"✖️ {who} rejected your draft for {name}.",
        "changes": f"✏️ {who} asks for changes to your draft for {name}.",
        "reopen": f"🔁 {who} reopened the review of your draft for {name}.",
    }[decided.decision]
    blocks = [el.section(said), *_reason(decided, LONGEST_REASON)]
    if url := marks.message_url(review.channel, review.ts):
        blocks.append(el.context(f"{marks.moment(decided.time)} · {marks.link(url, 'The review')}"))
    return el.message(said, blocks)


def already(review: Review) -> Payload:
    """Return what the second of two reviewers is told, whose word is kept all the same."""
    made = [entry for entry, counts in _counted(review.history) if counts]
    if not made or review.status == "open":
        return answers.notice("Your word is kept in the history of this review.")
    did = _DID[made[-1].decision].format(who=marks.person(made[-1].user))
    said = (
        f"{did} before you, {marks.moment(made[-1].time)}. Your word is kept in the history, and "
        "the decision stays; Reopen takes it up again."
    )
    return el.message(said, [el.section(said)])


# --- why --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """What the modal for a reason says; it counts only where there are no errors."""

    review: str | None
    decision: Decision | None
    text: str
    errors: dict[str, str] = field(default_factory=dict)


def reason_modal(review: str, decision: Decision) -> Payload:
    """Return the modal that asks why a draft is rejected or what is to be changed."""
    rejects = decision == "reject"
    box = inputs.text_box(
        Action.REASON,
        placeholder="Say what the brand would do instead." if rejects else "Say what to change.",
        longest=LONGEST_REASON,
    )
    label = "Why?" if rejects else "What should change?"
    hint = "The author gets this word for word, with your name; the review channel sees it."
    return el.modal(
        View.REASON,
        "Reject" if rejects else "Ask for changes",
        [el.input_block(label, box, hint=hint)],
        metadata=str(Remembered(review=review, decision=decision)),
        submit="Reject" if rejects else "Send",
        close="Cancel",
    )


def read_reason(view: object) -> Reason:
    """Read the modal that Slack sends back."""
    remembered, text = Remembered.of(view), State(view).text(Action.REASON)[:LONGEST_REASON]
    decision = next((d for d in _OUTCOME if d == remembered.decision), None)
    errors = {} if text else {str(Action.REASON): "A reason helps the author more than a verdict."}
    return Reason(remembered.review, decision, text, errors)
