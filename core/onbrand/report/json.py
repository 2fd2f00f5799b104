"""``--format json``: all results, for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from onbrand.document.positions import Span
from onbrand.report.message import draft_message, printable, sentence_message
from onbrand.results import Explanation, Report, SentenceVerdict
from onbrand.voice.reasons import WordReason, both_sides

if TYPE_CHECKING:
    from onbrand.results import CheckResults


def render(results: CheckResults) -> str:
    """Return the results as one JSON document, version 1.

    Offsets are code points into the file's text, in which a byte order mark counts as one; lines
    and columns count from 1, and a byte order mark takes no column. Shares and logits are
    natural-log odds. ``logit`` and the keys after it exist only for sentences that were explained.
    ``left_out`` counts the files in folders that are in no known format, by suffix, ``no_drafts``
    those that are none by their names or content, ``skipped`` the characters that were not judged,
    by reason, and ``errors`` lists the files that could not be read or judged. Keys may be added; a
    change of meaning raises the version.
    """
    skipped = Counter[str]()
    for report in results.reports:
        skipped.update(report.skipped)
    document = {
        "version": 1,
        "files": [_file(report, int(report.path in results.marked)) for report in results.reports],
        "left_out": dict(results.left_out),
        "no_drafts": results.no_drafts,
        "skipped": dict(skipped),
        "errors": [error._asdict() for error in results.errors],
        "diff": results.scope and asdict(results.scope),
    }
    return printable(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def _file(report: Report, shift: int) -> dict[str, Any]:
    return {
        "path": report.path,
        "brand": report.brand,
        "probability": report.probability,
        "verdict": report.verdict,
        "gate": report.gate,
        "message": draft_message(report),
        "flagged": len(report.flagged),
        "mend": report.mend,
        "sentences": [_sentence(sentence, shift) for sentence in report.sentences],
        "warnings": report.warnings,
        "skipped": dict(report.skipped),
    }


def _sentence(sentence: SentenceVerdict, shift: int) -> dict[str, Any]:
    return {
        **_place(sentence.span, shift),
        "line": sentence.line,
        "column": sentence.column,
        "text": sentence.text,
        "brand": sentence.brand,
        "probability": sentence.probability,
        "threshold": sentence.threshold,
        "flagged": sentence.flagged,
        "foreign": sentence.foreign,
        "not_judged": sentence.not_judged,
        "truncated": sentence.truncated,
        "message": sentence_message(sentence, nearest=False) if sentence.flagged else None,
        **explanation(sentence.explanation, shift),
    }


def _place(span: Span, shift: int) -> dict[str, int]:
    return {"start": span.start + shift, "end": span.end + shift}


def explanation(why: Explanation | None, shift: int = 0) -> dict[str, Any]:
    """Return an explanation for JSON; only an empty list of words if there is none.

    Args:
        why: the explanation.
        shift: is added to offsets.
    """
    if why is None:
        return {"words": []}
    against, in_favour = both_sides(why)
    return {
        "words": [{**_place(w.span, shift), "text": w.text, "share": w.share} for w in why.words],
        "reasons": {"against": _reasons(against, shift), "for": _reasons(in_favour, shift)},
        "logit": why.logit,
        "register": why.register,
        "base": why.base,
        "habits": [asdict(habit) for habit in why.habits],
        "nearest_on": why.nearest_on and asdict(why.nearest_on),
        "nearest_off": why.nearest_off and asdict(why.nearest_off),
        "centroid_similarity": why.centroid_similarity,
    }


def _reasons(words: Sequence[WordReason], shift: int) -> list[dict[str, Any]]:
    return [
        {
            "text": word.text,
            "share": word.share,
            "places": [_place(span, shift) for span in word.spans],
        }
        for word in words
    ]
