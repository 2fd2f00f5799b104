"""The model card of an adapted encoder: what it was made from, and what is known of it."""

from __future__ import annotations

import datetime

from onbrand_models.adapt.copy import PublishedCopy, count_by_brand
from onbrand_models.adapt.evidence import Evidence
from onbrand_models.adapt.loop import Learnt
from onbrand_models.source import SourceModel

_MOST_BRANDS = 200
"""Brands that are listed by name."""


def model_card(
    name: str,
    base: SourceModel,
    copy: PublishedCopy,
    learnt: Learnt,
    blend: float,
    evidence: Evidence,
) -> str:
    """Return the card in Markdown, with the front matter that model hubs read.

    Args:
        name: of the adapted model.
        base: what it was made from.
        copy: what it learnt from.
        learnt: how far that went.
        blend: share of the learnt weights in the result.
        evidence: what held-out lines say.
    """
    counts = sorted(count_by_brand(copy).items())
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    rows = [f"| {_cell(brand)} | {count} |" for brand, count in counts[:_MOST_BRANDS]]
    if len(counts) > _MOST_BRANDS:
        rows.append(f"| {len(counts) - _MOST_BRANDS} more | |")
    mixed = ""
    if blend < 1:
        mixed = f" Of the way from the base's weights to the learnt ones it goes {blend:.0%}."
    return "\n".join(
        [
            "---",
            f"license: {base.licence.lower()}",
            f"base_model: {base.name}",
            "---",
            "",
            f"# {name}",
            "",
            f"{base.name} ({base.origin}, {base.licence}), fine-tuned on {today} to tell which of "
            f"{len(counts)} voices published a line. It learnt from {len(copy.learn.texts):,} "
            f"lines in {learnt.state.best_step:,} batches. Nobody labelled them, and the texts "
            f"are not part of the model.{mixed}",
            "",
            _proof(copy, evidence),
            "",
            "| published by | lines |",
            "|---|---:|",
            *rows,
            "",
        ]
    )


def _proof(copy: PublishedCopy, evidence: Evidence) -> str:
    if len(copy.by_line) == len(copy.brands):
        where = "that it did not learn from, of documents that it did"
    elif copy.by_line:
        where = "that it did not learn from, some of them of documents that it did"
    else:
        where = "of documents that it did not learn from"
    return (
        f"On {evidence.lines:,} lines {where}, a linear classifier named the right voice for "
        f"{evidence.after:.1%}; with the base for {evidence.before:.1%}. By luck alone that "
        f"would come about in {evidence.luck_in_words} of cases."
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
