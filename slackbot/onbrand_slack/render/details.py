"""An answer in modals: the result of a check, and all sentences of a draft page by page."""

from __future__ import annotations

from onbrand.report.message import fault
from onbrand.results import SentenceVerdict, is_brand
from onbrand_slack.answer import Answer
from onbrand_slack.names import Action, View
from onbrand_slack.render import answer as answers
from onbrand_slack.render import headline, sentence
from onbrand_slack.render.elements import (
    actions,
    button,
    context,
    divider,
    line,
    modal,
    plain,
    rich,
    run,
    section,
)
from onbrand_slack.render.sentence import Room
from onbrand_slack.render.text import clean, clip
from onbrand_slack.work.calls import Payload

PER_PAGE = 10
ALL = Room(letters=1500, words=6, habits=10, nearest=400)


def view(answer: Answer, page: int = 0) -> Payload:
    """Return one page of a draft's sentences, in reading order, flagged ones with reasons.

    Args:
        answer: the check.
        page: counted from 0; the nearest one there is.
    """
    sentences = answer.report.sentences
    pages = max(-(-len(sentences) // PER_PAGE), 1)
    page = min(max(page, 0), pages - 1)
    first = page * PER_PAGE
    blocks = headline.blocks(answer) if page == 0 else []
    for index in range(first, min(first + PER_PAGE, len(sentences))):
        blocks += _sentence(answer, index)
    if pages > 1:
        blocks += [divider(), *_pages(page, pages)]
    metadata = metadata_of(answer.ticket, page)
    brand = answer.report.brand
    title = f"Details: {brand}" if is_brand(brand) else "Details"
    return modal(View.DETAILS, title, blocks, metadata=metadata)


def result(answer: Answer) -> Payload:
    """Return the answer to a check that was asked for in a modal."""
    bottom = [answers.buttons(answer, share=False), _share()]
    blocks = answers.body(answer, headline.blocks(answer), bottom)
    return modal(View.RESULT, "onbrand", blocks, metadata=answer.ticket)


def waiting(title: str = "onbrand") -> Payload:
    """Return what a modal shows until its answer is there."""
    text = "⏳ Checking… The answer appears here in a moment."
    return modal(View.RESULT, title, [section(plain(text))])


def trouble(message: str) -> Payload:
    """Return what a modal shows instead of an answer."""
    blocks = [rich(line(run(f"⚠️ {clip(clean(message), 1000)}")))]
    return modal(View.RESULT, "onbrand", blocks)


def told(message: Payload) -> Payload:
    """Return a message as a modal."""
    return modal(View.RESULT, "onbrand", message["blocks"])


def metadata_of(ticket: str, page: int) -> str:
    """Return what the details modal carries, so that its buttons need not."""
    return f"{ticket}#{page}"


def read_metadata(metadata: str) -> tuple[str, int]:
    """Return the ticket and the page of a details modal.

    Raises:
        ValueError: it is none's.
    """
    ticket, _, page = metadata.rpartition("#")
    if not ticket or not page.isdecimal() or len(page) > 6:
        raise ValueError("not the metadata of a details modal")
    return ticket, int(page)


# --- pieces -----------------------------------------------------------------------------------


def _sentence(answer: Answer, index: int) -> list[Payload]:
    one = answer.report.sentences[index]
    if one.flagged:
        head = f"{index + 1} · {fault(one.brand)}"
        return [divider(), *sentence.blocks(answer, index, ALL, head=head)]
    if one.probability is None:
        why = clip(clean(one.not_judged or "no reason given"), 100)
        return [context(plain(f"{index + 1}. {_text(one)} (not judged: {why})"))]
    if index in answer.votes:
        return [divider(), *sentence.blocks(answer, index, ALL, head=f"{index + 1} · fine")]
    return [_fine(answer, index)]


def _fine(answer: Answer, index: int) -> Payload:
    """Return an on-brand sentence in one row, with a button for who thinks otherwise."""
    one = answer.report.sentences[index]
    text = plain(f"{index + 1}. {_text(one)} (P {sentence.probability(one)})")
    return section(text, accessory=sentence.off_button(answer, index) if answer.can_label else None)


def _text(one: SentenceVerdict) -> str:
    return clip(clean(one.text), ALL.letters)


def _pages(page: int, pages: int) -> list[Payload]:
    row = []
    if page > 0:
        row.append(button("← Previous", Action.PREVIOUS_PAGE, str(page - 1)))
    if page < pages - 1:
        row.append(button("Next →", Action.NEXT_PAGE, str(page + 1)))
    return [actions(*row), context(plain(f"Page {page + 1} of {pages:,}"))]


def _share() -> Payload:
    """Return a select of channels: a modal may have been opened outside of any."""
    select = {
        "type": "conversations_select",
        "action_id": str(Action.SHARE),
        "placeholder": plain("Share to a channel", 150),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    return actions(select)
