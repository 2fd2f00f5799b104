"""The full report as a file: every sentence, in Markdown that reads well as plain text too."""

from __future__ import annotations

import re

from onbrand.report.message import capitalised, draft_message, fault, reads_like
from onbrand.results import SentenceVerdict, is_brand
from onbrand.voice.reasons import MAX_WORDS
from onbrand_slack.answer import Answer, Votes
from onbrand_slack.render import headline
from onbrand_slack.render.sentence import marked, probability
from onbrand_slack.render.text import clean, clip

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#&])")
_START = re.compile(r"^([-+=]|\d+[.)])")


def markdown(answer: Answer) -> tuple[str, str]:
    """Return the name and the text of the report."""
    report = answer.report
    parts = [f"# {_safe(headline.title(report))}", _safe(draft_message(report, places=False))]
    if answer.title:
        parts.append(f"Draft: {_safe(answer.title)}")
    if not is_brand(report.brand):
        parts.append(_safe(headline.judged_as(answer)))
    elif answer.brand_reason:
        parts.append(f"Brand: {_safe(answer.brand_reason)}")
    if answer.change is not None:
        parts.append(_safe(" ".join(headline.changed(report, answer.change))))
    parts += [f"Note: {_safe(warning)}" for warning in report.warnings]
    against = "the brand" if is_brand(report.brand) else "the draft"
    parts.append(f"Bold words speak most against {against}." if report.flagged else "")
    for index, sentence in enumerate(report.sentences):
        parts.append(_sentence(index + 1, sentence, answer.votes.get(index, Votes())))
    return _filename(answer), "\n\n".join(filter(None, parts)) + "\n"


def _sentence(number: int, sentence: SentenceVerdict, votes: Votes) -> str:
    pieces = marked(sentence, len(sentence.text) * 2 + 1, MAX_WORDS if sentence.flagged else 0)
    text = "".join(f"**{_safe(word)}**" if bold else _safe(word) for word, bold in pieces)
    lines = [f"## {number}. {_verdict(sentence)}", "> " + _START.sub(r"\\\1", text)]
    why = sentence.explanation if sentence.flagged else None
    points = [capitalised(_safe(habit.message)) for habit in why.habits] if why else []
    if why and why.nearest_on:
        points.append(f"Nearest on-brand line: “{_safe(why.nearest_on.text)}”")
    if votes.on or votes.off:
        points.append(f"People say: {len(votes.on):,} on-brand, {len(votes.off):,} off-brand")
    return "\n\n".join([*lines, *filter(None, ["\n".join(f"- {point}" for point in points)])])


def _verdict(sentence: SentenceVerdict) -> str:
    if sentence.probability is None:
        return f"Not judged: {_safe(sentence.not_judged or 'no reason given')}"
    like = reads_like(sentence.explanation) if sentence.flagged else None
    said = capitalised(fault(sentence.brand)) if sentence.flagged else "Fine"
    if like:
        said += f", reads like {like}"
    return f"{said}, P {_safe(probability(sentence))}"


def _safe(text: str) -> str:
    """Return text on one line, in which nothing is mark-up (edges are kept: words are joined)."""
    return _MARKUP.sub(r"\\\1", clean(text, lines=True).replace("\n", " "))


def _filename(answer: Answer) -> str:
    stem = answer.title.rpartition(".")[0] or answer.title or answer.report.brand
    slug = re.sub(r"[^\w]+", "-", clean(stem)).strip("-_")
    return f"onbrand-{clip(slug, 60).rstrip('…')}.md" if slug else "onbrand-report.md"
