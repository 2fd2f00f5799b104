"""``--format json``: all results, for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from onbrand.report.message import draft_message, printable, sentence_message
from onbrand.results import Explanation, Report, SentenceVerdict
from onbrand.voice.reasons import WordReason, both_sides


def render(reports: Sequence[Report], left_out: Mapping[str, int] = MappingProxyType({})) -> str:
    """Return the reports as one JSON document, version 1.

    Offsets are code points into the file's text, lines and columns count from 1, shares and
    logits are natural-log odds. ``logit`` and the keys after it exist only for sentences that were
    explained. ``left_out`` counts the files in folders that are in no known format, by suffix. Keys
    may be added; a change of meaning raises the version.
    """
    document = {
        "version": 1,
        "files": [_file(report) for report in reports],
        "left_out": dict(left_out),
    }
    return printable(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def _file(report: Report) -> dict[str, Any]:
    return {
        "path": report.path,
        "brand": report.brand,
        "probability": report.probability,
        "verdict": report.verdict,
        "gate": report.gate,
        "message": draft_message(report),
        "flagged": len(report.flagged),
        "mend": report.mend,
        "sentences": [_sentence(sentence) for sentence in report.sentences],
        "warnings": report.warnings,
    }


def _sentence(sentence: SentenceVerdict) -> dict[str, Any]:
    return {
        "start": sentence.span.start,
        "end": sentence.span.end,
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
        **explanation(sentence.explanation),
    }


def explanation(why: Explanation | None) -> dict[str, Any]:
    """Return an explanation for JSON; only an empty list of words if there is none."""
    if why is None:
        return {"words": []}
    against, in_favour = both_sides(why)
    return {
        "words": [
            {"start": w.span.start, "end": w.span.end, "text": w.text, "share": w.share}
            for w in why.words
        ],
        "reasons": {"against": _reasons(against), "for": _reasons(in_favour)},
        "logit": why.logit,
        "register": why.register,
        "base": why.base,
        "habits": [asdict(habit) for habit in why.habits],
        "nearest_on": why.nearest_on and asdict(why.nearest_on),
        "nearest_off": why.nearest_off and asdict(why.nearest_off),
        "centroid_similarity": why.centroid_similarity,
    }


def _reasons(words: Sequence[WordReason]) -> list[dict[str, Any]]:
    return [
        {
            "text": word.text,
            "share": word.share,
            "places": [{"start": span.start, "end": span.end} for span in word.spans],
        }
        for word in words
    ]
