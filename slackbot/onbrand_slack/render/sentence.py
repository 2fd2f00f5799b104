"""One sentence of a draft: its words, why it was flagged, and what people say of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from onbrand.report.message import capitalised, format_probability, reads_like
from onbrand.results import SentenceVerdict
from onbrand.voice.reasons import MAX_WORDS, marked_words
from onbrand_slack.answer import Answer, Votes
from onbrand_slack.model import SentenceRef
from onbrand_slack.names import Action
from onbrand_slack.render.elements import (
    actions,
    button,
    context,
    line,
    plain,
    quote,
    rich,
    run,
)
from onbrand_slack.render.marks import person
from onbrand_slack.render.text import clean, clip
from onbrand_slack.work.calls import Payload


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a sentence is shown."""

    letters: int
    """Of the sentence."""
    words: int = MAX_WORDS
    habits: int = 1
    nearest: int = 200
    """Letters of the nearest on-brand line; 0: none."""


def blocks(
    answer: Answer, index: int, room: Room, *, head: str = "", names: bool = True
) -> list[Payload]:
    """Return a judged sentence: quoted, with reasons, buttons and votes.

    Args:
        answer: the check.
        index: of the sentence.
        room: how much of it to show.
        head: what stands above it, say its number.
        names: say who voted; only where the message pings nobody.
    """
    sentence = answer.report.sentences[index]
    votes = answer.votes.get(index, Votes())
    above = [line(run(head, "bold"))] if head else []
    made = [rich(*above, _quoted(sentence, room), line(*_reasons(sentence, room)))]
    if near := _nearest(sentence, room):
        made.append(context(plain(f"Nearest on-brand line: “{near}”")))
    if answer.can_label:
        made.append(_buttons(answer, index, votes, own=names))
    if said := _said(votes, names):
        made.append(context(said))
    return made


def marked(sentence: SentenceVerdict, letters: int, limit: int) -> list[tuple[str, bool]]:
    """Return the sentence in pieces, and of each whether it is a word that speaks against it."""
    text = clip(clean(sentence.text), letters)
    pieces, done = [], 0
    for start, end in _culprits(sentence, text, limit):
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    pieces.append((text[done:], False))
    return [piece for piece in pieces if piece[0]] or [("–", False)]


def _quoted(sentence: SentenceVerdict, room: Room) -> Payload:
    pieces = marked(sentence, room.letters, room.words)
    return quote(*(run(text, "bold") if bold else run(text) for text, bold in pieces))


def _culprits(sentence: SentenceVerdict, text: str, limit: int) -> list[tuple[int, int]]:
    """Return where the worst words stand in ``text``; their own spans are in the draft's source."""
    why = sentence.explanation
    if why is None:
        return []
    worst = Counter(part for word in marked_words(why, limit) for part in word.places[0])
    found: list[tuple[int, int]] = []
    done = 0
    for word in why.words:
        letters = clean(word.text)
        start = text.find(letters, done) if letters else -1
        if start < 0:
            continue
        done = start + len(letters)
        if worst[word] > 0:
            worst[word] -= 1
            joined = bool(found) and found[-1][1] == start
            found.append((found.pop()[0] if joined else start, done))
    return found


def _reasons(sentence: SentenceVerdict, room: Room) -> list[Payload]:
    """Return what the sentence reads like, the habits it breaks, and P."""
    why = sentence.explanation
    like = reads_like(why)
    habits = why.habits[: room.habits] if why else ()
    said = [f"Reads like {like}"] if like else []
    said += [clip(capitalised(clean(habit.message)), 150) for habit in habits]
    return [run(" · ".join([*said, f"P {probability(sentence)}"]))]


def _nearest(sentence: SentenceVerdict, room: Room) -> str:
    near = sentence.explanation and sentence.explanation.nearest_on
    return clip(clean(near.text), room.nearest) if near and room.nearest else ""


def probability(sentence: SentenceVerdict) -> str:
    """Return a sentence's P with as many digits as show on which side of the threshold it is."""
    if sentence.probability is None:
        return "–"
    return format_probability(sentence.probability, sentence.threshold)


def off_button(answer: Answer, index: int) -> Payload:
    """Return the one button of a sentence that nobody has labelled and the voice finds fine."""
    ref = str(SentenceRef(answer.ticket, index))
    return button("Off-brand", Action.LABEL_OFF, ref, says=f"Sentence {index + 1} is Off-brand")


def _buttons(answer: Answer, index: int, votes: Votes, *, own: bool) -> Payload:
    ref = str(SentenceRef(answer.ticket, index))

    def label(text: str, action: Action, by: tuple[str, ...]) -> Payload:
        mine = own and answer.user in by
        count = f" ({len(by)})" if by else ""
        says = f"Sentence {index + 1} is {text}" + (", as you said" if mine else "")
        face = ("✓ " if mine else "") + text + count
        return button(face, action, ref, style="primary" if mine else None, says=says)

    return actions(
        label("On-brand", Action.LABEL_ON, votes.on),
        label("Off-brand", Action.LABEL_OFF, votes.off),
    )


def _said(votes: Votes, names: bool) -> str | Payload | None:
    """Return who said what; None where nobody said anything."""
    sides = [(votes.on, "on-brand"), (votes.off, "off-brand")]
    parts = [f"{_people(by, names)} {what}" for by, what in sides if by]
    if not parts:
        return None
    text = ", ".join(parts) + ("; opinions differ" if votes.on and votes.off else "")
    return text if names else plain(text)


def _people(users: tuple[str, ...], names: bool) -> str:
    verb = "says" if len(users) == 1 else "say"
    if not names:
        return f"{len(users):,} {verb}"
    shown = [person(user) for user in users[:3]]
    if len(users) > 3:
        shown.append(f"{len(users) - 3:,} more")
    return f"{' and '.join([', '.join(shown[:-1]), shown[-1]]) if shown[1:] else shown[0]} {verb}"
