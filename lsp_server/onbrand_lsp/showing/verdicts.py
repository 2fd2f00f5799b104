"""The whole verdict on a draft, and what a voice is like: for a panel, or to be read as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from onbrand.document.positions import Encoding
from onbrand.report.message import draft_message, format_probability, sentence_message
from onbrand.results import Report, SentenceVerdict, is_brand
from onbrand.voice.model import LabelCounts, Metrics, Voice
from onbrand.voice.profile import STYLE_MARKERS, STYLE_STATS
from onbrand.voice.reasons import worst_words
from onbrand_lsp.showing import lens, places
from onbrand_lsp.showing.markup import Markup

if TYPE_CHECKING:
    from onbrand_lsp.checking.judging import Checked

MAX_SENTENCES = 50
OTHER_BRANDS = 5
_RANGE_LABELS = {
    "words_per_sentence": "Words in a sentence",
    "letters_per_word": "Letters in a word",
    "reading_grade": "Reading grade of a sentence",
}
"""The value is low, middle and high: 8 of 10 on-brand sentences lie in between."""
JudgedAs = Callable[[str], float | None]
"""Brand → P of the draft if all of it were that brand's."""


def verdict(checked: Checked, encoding: Encoding, judged_as: JudgedAs) -> dict[str, Any]:
    """Return all that there is to say of a draft, ready for JSON.

    Args:
        checked: what was found.
        encoding: unit of the columns.
        judged_as: asked for each other brand.
    """
    report = checked.report
    found: dict[str, Any] = {
        "uri": checked.snapshot.uri,
        "version": checked.snapshot.version,
        "brand": checked.brand,
        "probability": None,
        "verdict": None,
        "gate": None,
        "mend": 0,
        "message": checked.problem or "onbrand is not set up for this document.",
        "sentences": [],
        "sections": [],
        "others": [],
    }
    if report is None:
        return found
    lines = checked.snapshot.lines
    worst = sorted(report.flagged, key=lambda sentence: sentence.probability or 0.0)
    return found | {
        "probability": report.probability,
        "verdict": report.verdict,
        "gate": report.gate,
        "mend": len(report.mend),
        "message": draft_message(report),
        "sentences": [
            {
                "range": places.range_json(sentence.span, lines, encoding),
                "mend": sentence.to_mend,
                **_sentence(sentence),
            }
            for sentence in worst[:MAX_SENTENCES]
        ],
        "sections": [
            {
                "title": section.title,
                "range": places.range_json(section.span, lines, encoding),
                "probability": section.probability,
                "verdict": section.verdict,
            }
            for section in lens.sections(checked)
        ],
        "others": list(_others(checked, report, judged_as)),
    }


def _sentence(sentence: SentenceVerdict) -> dict[str, Any]:
    why = sentence.explanation
    nearest = why.nearest_on if why else None
    return {
        "probability": sentence.probability,
        "message": sentence_message(sentence, nearest=False),
        "words": [{"text": word.text, "share": round(word.share, 4)} for word in worst_words(why)],
        "habits": [habit.message for habit in (why.habits if why else ())],
        "nearest": nearest.text if nearest else None,
    }


def _others(checked: Checked, report: Report, judged_as: JudgedAs) -> Iterator[dict[str, Any]]:
    """Yield P of the draft for every other brand, the likeliest first."""
    if checked.scorer is None:
        return
    brands = checked.scorer.brands
    found = [(judged_as(name), name) for name in brands if name != report.brand and is_brand(name)]
    for p, brand in sorted(found, key=lambda other: (-(other[0] or 0.0), other[1])):
        yield {"brand": brand, "probability": p}


def summary(found: dict[str, Any]) -> str:
    """Return what `verdict` found as Markdown, for editors without a panel."""
    markup = Markup(markdown=True)
    name = unquote(found["uri"]).rpartition("/")[2]
    parts = [f"# {markup.text(name)}", markup.text(found["message"])]
    others = [f"{markup.text(one['brand'])} {_p(one)}" for one in found["others"][:OTHER_BRANDS]]
    if others:
        parts.append(f"Judged as another brand: {', '.join(others)}")
    sections = [
        f"{markup.text(one['title'])}: {_p(one)}, {one['verdict']}" for one in found["sections"]
    ]
    if sections:
        parts += ["## Sections", markup.bullets(sections)]
    sentences = [_line(one, markup) for one in found["sentences"]]
    if sentences:
        parts += ["## Worst sentences", markup.bullets(sentences)]
    return markup.paragraphs(parts) + "\n"


def _p(of: Mapping[str, Any]) -> str:
    p = of["probability"]
    return "not judged" if p is None else f"P {format_probability(p, 0.0)}"


def _line(sentence: Mapping[str, Any], markup: Markup) -> str:
    nearest = sentence["nearest"]
    said = f"Line {sentence['range']['start']['line'] + 1}: {markup.text(sentence['message'])}"
    return said + (f" Nearest on-brand line: {markup.quote(nearest)}" if nearest else "")


def profile(voice: Voice) -> dict[str, Any]:
    """Return what a voice is like, as labels and values to show one below the other."""
    manifest, report = voice.manifest, voice.manifest.report
    rows = {
        "Trained": manifest.created[:10],
        **_counts(manifest.labels),
        "Accuracy on held-out lines": f"{report.held_out.accuracy:.1%}{_baseline(report.baseline)}",
        "Sentences underlined": f"below P {manifest.threshold:.2f}",
        "Drafts forwarded": f"from P {manifest.gate:.2f}",
    }
    if not is_brand(manifest.brand):  # nothing was learnt
        rows = {label: rows[label] for label in ("Sentences underlined", "Drafts forwarded")}
    for key, label in _RANGE_LABELS.items():
        if usual := manifest.profile.ranges.get(key):
            digits = STYLE_STATS[key].digits
            shown = (f"{value:.{digits}f}" for value in (usual.low, usual.middle, usual.high))
            rows[label] = " - ".join(shown)
    for key, rate in sorted(manifest.profile.rates.items(), key=lambda item: -item[1]):
        if key in STYLE_MARKERS:
            rows[f"With {STYLE_MARKERS[key].name}"] = f"{rate * 100:.0f} of 100 sentences"
    return {
        "brand": manifest.brand,
        "rows": [{"label": label, "value": value} for label, value in rows.items()],
    }


def _counts(labels: LabelCounts) -> dict[str, str]:
    counted = {"On-brand lines": f"{labels.on:,}", "Off-brand lines": f"{labels.off:,}"}
    if not labels.on + labels.off:
        return {"Published lines": f"{labels.published:,}"}
    return counted


def _baseline(baseline: Metrics | None) -> str:
    return "" if baseline is None else f" (a bag of words: {baseline.accuracy:.1%})"
