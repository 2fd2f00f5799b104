"""The figures as rows of text, for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from onbrand.report.message import capitalised, plural
from onbrand_models.bench.report import Accuracy, Figures, Report

HEADINGS = ("candidate", "accuracy", "sent./s", "ms", "p95", "MB", "RAM", "cosine")
"""Of a terminal, where the last column has no room: they fit 80 columns."""
LONG_HEADINGS = (
    "candidate",
    "accuracy",
    "sentences/s",
    "one sentence, ms",
    "95 % within, ms",
    "size, MB",
    "memory, MB",
    "cosine to float32",
    "lowest",
)
FRONT = "◆"
"""Marks what is on the Pareto front."""


def rows(report: Report) -> list[tuple[str, ...]]:
    """Return one row for each candidate, as in `LONG_HEADINGS`."""
    return [_row(candidate, candidate.name in report.front) for candidate in report.candidates]


def _row(candidate: Figures, front: bool) -> tuple[str, ...]:
    pace, cosine = candidate.pace, candidate.cosine
    return (
        f"{candidate.name} {FRONT}" if front else candidate.name,
        f"{candidate.accuracy.mean:.1%}",
        f"{pace.sentences_per_second:,.0f}",
        f"{pace.latency_ms:.1f}",
        f"{pace.latency_p95_ms:.1f}",
        f"{candidate.size / 1e6:.1f}",
        "–" if candidate.memory is None else f"{candidate.memory / 1e6:.0f}",
        "–" if cosine is None else f"{cosine.mean:.4f}",
        "–" if cosine is None else f"{cosine.min:.4f}",
    )


def notes(report: Report) -> list[str]:
    """Return what a reader of the table must know, one sentence a line."""
    best = next(c for c in report.candidates if c.name == report.best)
    brands, lines = len(report.lines), sum(report.lines.values())
    return [
        f"{FRONT} on the Pareto front: none is both faster and more accurate.",
        f"Accuracy is cross-validated on {plural(lines, 'labelled line')} of "
        f"{plural(brands, 'brand')}, standard error {best.accuracy.error:.1%}; "
        f"a bag of words has {best.accuracy.baseline:.1%}.",
        f"Speed is of this machine ({report.machine}, {plural(best.pace.threads, 'thread')}), "
        "taken in turns; RAM is of a process that has used the encoder.",
        *_beaten(best.accuracy),
    ]


def _beaten(best: Accuracy) -> list[str]:
    if best.baseline <= best.mean:
        return []
    return [
        "A bag of words beats every candidate here: label more lines before you choose, or look "
        "for an encoder of another kind (--source)."
    ]


def to_markdown(report: Report, picture: str | None = None) -> str:
    """Return the report as a page of Markdown.

    Args:
        report: what was found.
        picture: file name of the chart, if there is one.
    """
    return "\n".join(
        [
            "# Encoders compared",
            "",
            f"{capitalised(report.advice)}.",
            "",
            *([f"![Accuracy against speed]({picture})", ""] if picture else []),
            *_table(LONG_HEADINGS, rows(report)),
            "",
            " ".join(notes(report)),
            *(["", "Left out:", ""] if report.left_out else []),
            *(f"- {one.name}: {one.reason}" for one in report.left_out),
            "",
        ]
    )


def _table(headings: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(headings)} |",
        "|---" + "|---:" * (len(headings) - 1) + "|",
        *(f"| {' | '.join(map(_cell, row))} |" for row in body),
    ]


def _cell(text: str) -> str:
    """Return text that stays in its cell: a folder's name may hold what ends one."""
    return " ".join(text.split()).replace("|", "\\|")
