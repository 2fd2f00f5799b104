"""Drafts and verdicts made by hand, one for each thing that is hard to print."""

from __future__ import annotations

import re
from dataclasses import replace

from onbrand.document.positions import Span
from onbrand.results import (
    Example,
    Explanation,
    Habit,
    Report,
    SentenceVerdict,
    WordShare,
)

THRESHOLD = 0.31
GATE = 0.7


def sentence(
    source: str, part: str, probability: float | None = 0.12, words: str = "", **fields: object
) -> SentenceVerdict:
    """Judge the first place in ``source`` where ``part`` stands; ``words`` did it."""
    start = source.index(part)
    before = re.split(r"\r\n|\r|\n", source[:start])
    shares = [
        WordShare(Span(start + at, start + at + len(word)), word, -1.4 + n / 2)
        for n, word in enumerate(words.split())
        if (at := part.index(word)) >= 0
    ]
    verdict = SentenceVerdict(
        span=Span(start, start + len(part)),
        line=len(before),
        column=len(before[-1]) + 1,
        text=" ".join(part.split()),
        brand="acme",
        probability=probability,
        flagged=probability is not None and probability < THRESHOLD,
        threshold=THRESHOLD,
        explanation=Explanation(-2.0, -0.5, tuple(shares)) if shares else None,
    )
    return replace(verdict, **fields)


def report(path: str, *sentences: SentenceVerdict, **fields: object) -> Report:
    return replace(Report(path, "acme", 0.62, "review", GATE, sentences), **fields)


def samples() -> tuple[list[Report], dict[str, str]]:
    """Return the reports and, by path, the text that each is about."""
    made = [_plain(), _multi_line(), _wide(), _right_to_left(), _long(), _old_mac(), _hostile()]
    made.append((report("empty.md", probability=None, verdict="not judged"), ""))
    made.append((_forward(), FORWARD))
    return [verdict for verdict, _ in made], {verdict.path: source for verdict, source in made}


def _plain() -> tuple[Report, str]:
    source = (
        "# Launch\n\nHi. We leverage synergies to empower stakeholders, [bold]daily[/]. "
        "It ships on Tuesday.\n\nBuy now!\n"
    )
    flagged = sentence(
        source,
        "We leverage synergies to empower stakeholders, [bold]daily[/].",
        words="leverage synergies",
    )
    assert flagged.explanation is not None
    why = replace(
        flagged.explanation,
        habits=(
            Habit("words_per_sentence", "34 words; Acme rarely writes more than 18", 34, (8, 18)),
        ),
        nearest_on=Example("We ship it on Tuesday.", 0.71, "on", "site.md"),
        nearest_off=Example("Unlock value at scale.", 0.83, "off"),
        centroid_similarity=0.2,
    )
    return (
        report(
            "docs/launch.md",
            sentence(source, "Hi.", None, not_judged="too short"),
            replace(flagged, explanation=why),
            sentence(source, "It ships on Tuesday.", 0.91),
            sentence(source, "Buy now!", 0.28),
            warnings=("1 sentence is longer than the encoder reads; its end was not judged",),
        ),
        source,
    )


def _multi_line() -> tuple[Report, str]:
    source = "> Intro.\r\n\r\n- We empower\r\n  and leverage our\r\n  stakeholders. Fine.\r\n"
    part = "We empower\r\n  and leverage our\r\n  stakeholders."
    return report("multi.md", sentence(source, part, 0.04, "leverage")), source


def _wide() -> tuple[Report, str]:
    source = "\tタブ:\t日本語の文章です。👩‍👩‍👧 We ❤️ synergies! Done.\n"
    return report(
        "wide.md", sentence(source, "日本語の文章です。👩‍👩‍👧 We ❤️ synergies!", 0.1, "synergies")
    ), source


def _right_to_left() -> tuple[Report, str]:
    source = "שלום. אנחנו ממנפים סינרגיות. תודה.\n"
    return report("rtl.md", sentence(source, "אנחנו ממנפים סינרגיות.", 0.2)), source


def _long() -> tuple[Report, str]:
    filler = "This line of perfectly ordinary copy goes on and on. " * 4
    short = "We leverage synergies."
    long = "Going forward, " + "we will holistically operationalise our core value streams and " * 3
    source = filler + short + " " + filler + long + "more. " + filler + "\n"
    return (
        report(
            "long.md",
            sentence(source, short, 0.1, "leverage"),
            sentence(source, long + "more.", 0.003, "holistically operationalise", truncated=True),
        ),
        source,
    )


def _old_mac() -> tuple[Report, str]:
    source = "One.\rWe leverage.\rThree.\r"
    return report("old mac.txt", sentence(source, "We leverage.", 0.2999)), source


def _hostile() -> tuple[Report, str]:
    source = "a\x1b[31m\0b ]]>&<\u2028\u202ec \ud800 ::error::%0A,x 'q'\"\n"
    path = "dräft, 50%: a&b\n.md"
    return report(path, sentence(source, source.strip(), 0.05), brand="A\n::&B"), source


FORWARD = "It ships on Tuesday.\n"


def _forward() -> Report:
    fine = sentence(FORWARD, "It ships on Tuesday.", 0.9)
    return report("sub/fine.md", fine, probability=0.6999999, gate=0.69999, verdict="forward")
