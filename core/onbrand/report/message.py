"""The wording of findings and verdicts, shared by output formats, editors and Slack.

A finding says first what the sentence sounds like, then which words do it, then one habit that the
writer can keep. P is no part of it: who shows P shows it after all else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from onbrand.document.masking import PLACEHOLDER
from onbrand.results import AVOID, Report, SentenceVerdict, is_brand
from onbrand.voice.reasons import Explanation, WordReason, worst_habit, worst_words

PLACES = 5
"""Lines that a verdict names at the most."""
REASONS = 3
"""Registers that a verdict names at the most, the most frequent ones."""
Severity = Literal["warning", "note"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """Return ``text`` with U+FFFD for lone surrogates, which cannot be encoded; same length."""
    return _SURROGATE.sub("\ufffd", text)


def severity(sentence: SentenceVerdict) -> Severity:
    """Return "note" for a P of at least half the threshold, else "warning".

    There is no "error": no finding is as certain as a syntax error.
    """
    probability = sentence.probability
    return "note" if probability is None or probability >= sentence.threshold / 2 else "warning"


def format_probability(probability: float, limit: float) -> str:
    """Return a probability with two decimals, or more if they are needed to show P < ``limit``."""
    if probability < 0.005:
        return "<0.01"
    digits = 2
    while probability < limit and f"{probability:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    return f"{probability:.{digits}f}"


def sentence_message(sentence: SentenceVerdict, *, nearest: bool = True) -> str:
    """Return why a sentence was flagged, in one line of full sentences, without P.

    Args:
        sentence: a judged sentence, with or without an explanation.
        nearest: whether to quote the nearest on-brand line.
    """
    if sentence.probability is None:
        return f"Not judged: {sentence.not_judged or 'no reason given'}."
    why = sentence.explanation
    parts = [f"{finding(sentence.brand, why)}."]
    if words := worst_words(why):
        parts.append(f"Above all: {quoted(words)}.")
    if habit := worst_habit(why):
        parts.append(f"{capitalised(habit)}.")
    if nearest and why is not None and why.nearest_on is not None:
        parts.append(f"Nearest on-brand line: “{why.nearest_on.text}”")
    return _line(" ".join(parts))


def quoted(words: Iterable[WordReason]) -> str:
    """Return words in quotation marks, say "“leverage”, “synergies”"."""
    return ", ".join(f"“{word.text}”" for word in words)


def draft_message(report: Report, *, places: bool = True) -> str:
    """Return the verdict on a draft in one line, with P at its end.

    Args:
        report: the verdict.
        places: whether to name the lines of the sentences to revise.
    """
    if report.probability is None:
        return _line(f"Not judged: {tally(report)}.")
    head = capitalised(decision(report))
    if report.verdict == "forward" and report.mend and places:
        head += f" ({_lines(report)})"
    return _line(f"{head}: {'; '.join(filter(None, _figures(report)))}.")


def _figures(report: Report) -> Iterator[str]:
    yield tally(report)
    yield draft_reasons(report)
    p = format_probability(report.probability or 0.0, report.gate)
    whose = f" for {report.brand}" if is_brand(report.brand) else ""
    gate = "the gate is" if report.verdict == "forward" else "below the gate of"
    yield f"P {p}{whose}, {gate} {report.gate:.2f}"


def _lines(report: Report) -> str:
    """Return the lines of the sentences to revise, say "lines 3, 12 and 2 more"."""
    lines = list(dict.fromkeys(report.sentences[index].line for index in report.mend))
    named = ", ".join(map(str, sorted(lines[:PLACES])))
    more = f" and {len(lines) - PLACES:,} more" if len(lines) > PLACES else ""
    return f"line{'' if len(lines) == 1 else 's'} {named}{more}"


def decision(report: Report) -> str:
    """Return the verdict in words, say "forward, but mend 3 sentences"."""
    if report.verdict == "forward" and report.mend:
        return f"forward, but mend {plural(len(report.mend), 'sentence')}"
    return report.verdict


def tally(report: Report) -> str:
    """Return "3 of 12 sentences off-brand, 2 not judged (too short)"."""
    reasons = Counter(s.not_judged for s in report.sentences if s.probability is None)
    why = ", ".join(sorted(reason for reason in reasons if reason))
    unjudged = f"{reasons.total()} not judged" + (f" ({why})" if why else "")
    judged = len(report.sentences) - reasons.total()
    if judged == 0:
        return unjudged if reasons else "no sentence to judge"
    text = f"{len(report.flagged)} of {plural(judged, 'sentence')} {fault(report.brand)}"
    return f"{text}, {unjudged}" if reasons else text


def finding(brand: str, why: Explanation | None) -> str:
    """Return what is wrong with a flagged sentence, say "Sounds off-brand for acme".

    Args:
        brand: of the sentence.
        why: its explanation, which says what it reads like.
    """
    like = reads_like(why)
    if not is_brand(brand):
        return f"Reads like {like or 'a voice to avoid'}"
    return (
        f"Reads like {like}; {brand}’s copy hardly ever does"
        if like
        else f"Sounds off-brand for {brand}"
    )


def reads_like(why: Explanation | None) -> str | None:
    """Return what a sentence reads like, say "corporate-speak"; None if no register decided."""
    if why is None or why.register is None:
        return None
    return _read_as(why.register)


def reads_most_like(report: Report) -> tuple[str, ...]:
    """Return what the flagged sentences of a draft read like, the most frequent first.

    Sentences that the brand's own head decided have no register, and are left out.
    """
    named = (reads_like(sentence.explanation) for sentence in report.flagged)
    return tuple(like for like, _ in Counter(filter(None, named)).most_common())


def to_avoid(brand: str) -> str:
    """Return the registers that a draft was checked against, say "hype, a chatbot".

    Args:
        brand: of a verdict; see `is_brand`.
    """
    return ", ".join(_read_as(name) for name in brand.removeprefix(AVOID).split(", "))


def _read_as(register: str) -> str:
    # Imports numpy, which is loaded already where registers are used.
    from onbrand.voice.registers import read_as

    return read_as(register)


def fault(brand: str) -> str:
    """Return the name of the fault: "off-brand", or "in a voice to avoid"."""
    return "off-brand" if is_brand(brand) else "in a voice to avoid"


def draft_reasons(report: Report) -> str:
    """Return what flagged sentences read like, say "8 read like corporate-speak, 2 like hype".

    Empty where no register decided, or where not all of them were explained.
    """
    if any(sentence.explanation is None for sentence in report.flagged):
        return ""
    likes = Counter(like for s in report.flagged if (like := reads_like(s.explanation)))
    found = [f"{count:,} like {like}" for like, count in likes.most_common(REASONS)]
    if not found:
        return ""
    count, _, rest = found[0].partition(" ")
    found[0] = f"{count} {'reads' if count == '1' else 'read'} {rest}"
    return ", ".join(found)


def plural(count: int, noun: str) -> str:
    """Return "1 file", "2 files"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def capitalised(text: str) -> str:
    """Return a message with a capital first letter; messages begin with a small one."""
    return text[:1].upper() + text[1:]


def _line(text: str) -> str:
    return _CONTROL.sub("\ufffd", " ".join(text.replace(PLACEHOLDER, "…").split()))
