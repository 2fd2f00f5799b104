"""Checked drafts made by hand, as the Slack app's renderers get them."""

from __future__ import annotations

from dataclasses import replace

from onbrand.document.positions import Span
from onbrand.results import Example, Explanation, Habit, Report, SentenceVerdict, WordShare
from onbrand_slack.answer import Answer, Change, ThreadLine, Votes
from onbrand_slack.model import Source

TICKET = "c0123456789abcdef." + "k" * 43
GATE = 0.7
THRESHOLD = 0.31
LINK = "https://acme.slack.com/archives/C1/p1700000000000100"


def sentence(
    text: str, probability: float | None = 0.91, words: str = "", **more: object
) -> SentenceVerdict:
    """A sentence whose ``words`` did it, the first of them most."""
    order = words.split()
    shares = tuple(
        WordShare(Span(0, len(word)), word, order.index(word) - 5.0 if word in order else 0.2)
        for word in text.replace(".", " .").split()
    )
    verdict = SentenceVerdict(
        span=Span(0, len(text)),
        line=1,
        column=1,
        text=text,
        brand="acme",
        probability=probability,
        flagged=probability is not None and probability < THRESHOLD,
        threshold=THRESHOLD,
        not_judged="too short" if probability is None else None,
        explanation=Explanation(-2.0, 0.0, shares) if words else None,
    )
    return replace(verdict, **more)


def explained(text: str, probability: float, words: str) -> SentenceVerdict:
    """A flagged sentence with all that can be said against it."""
    made = sentence(text, probability, words)
    assert made.explanation is not None
    why = replace(
        made.explanation,
        habits=(
            Habit("words_per_sentence", "34 words; acme rarely writes more than 18", 34, (8, 18)),
            Habit("passive", "a passive; acme never uses one", 1, (0, 0)),
            Habit("please", '"please"; acme rarely says it', 1, (0.02, 0.02)),
        ),
        nearest_on=Example("It ships on Tuesday & fits <your> pocket.", 0.61, "on", "home page"),
    )
    return replace(made, explanation=why)


LEVERAGE = explained("We leverage synergies to empower our stakeholders.", 0.02, "leverage empower")
HUMBLED = explained("<!channel> *We* are truly humbled by `it`.", 0.004, "humbled truly")
FINE = sentence("It ships on Tuesday, rain or shine.")
SHORT = sentence("Bye!", None)


def answer(*sentences: SentenceVerdict, probability: float | None = 0.41, **more: object) -> Answer:
    """An answer about a draft; ``gate`` decides the verdict."""
    verdict = "forward" if (probability or 0) >= GATE else "review"
    if probability is None:
        verdict = "not judged"
    report = Report("draft.md", "acme", probability, verdict, GATE, sentences)
    return replace(Answer(TICKET, report, "U1", Source.COMMAND), **more)


REVIEW = answer(
    FINE,
    LEVERAGE,
    HUMBLED,
    SHORT,
    brand_reason="this channel's brand",
    review_channel="C7",
    votes={1: Votes(on=("U2",), off=("U1", "U3"))},
)
FORWARD = answer(FINE, SHORT, probability=0.93, title="launch.docx", link=LINK)
RECHECKED = answer(
    *(FINE, LEVERAGE),
    probability=0.84,
    change=Change(before=0.55, verdict="review", mended=3, still=1, new=0),
    again=True,
)
MEND = answer(
    *(FINE, replace(LEVERAGE, foreign=0.82), replace(HUMBLED, foreign=0.97), SHORT),
    probability=0.74,
)
NOT_JUDGED = answer(SHORT, SHORT, probability=None)
IN_REVIEW = replace(REVIEW, review="changes", can_label=False, can_recheck=False)
LONG = answer(*([FINE, LEVERAGE, HUMBLED, SHORT] * 8))
THREAD = (
    ThreadLine("U1", LINK, 0.91, "forward", 0, 3, None),
    ThreadLine("U2", LINK, 0.21, "review", 2, 3, "We <!here> leverage synergies."),
    ThreadLine("U3", LINK, 0.88, "forward", 2, 12, "We leverage synergies.", mend=1),
    ThreadLine(None, None, None, "not judged", 0, 0, None),
)
