"""What the editor is sent as JSON or Markdown: status, verdict, profile, examples, reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from onbrand.config import Setting, explain
from onbrand.document.masking import PLACEHOLDER
from onbrand.document.positions import Encoding
from onbrand.report.message import (
    draft_message,
    format_probability,
    plural,
    printable,
    sentence_message,
)
from onbrand.results import Example, Report, SentenceVerdict, is_brand
from onbrand.scorer import Scorer
from onbrand.voice.model import LabelCounts, Metrics, Voice
from onbrand.voice.profile import STYLE_MARKERS, STYLE_STATS
from onbrand.voice.reasons import worst_words
from onbrand_lsp.features import code_lens, lookup
from onbrand_lsp.settings import UNCONFIGURED, EditorSettings

if TYPE_CHECKING:
    from onbrand_lsp.analysis import Analysis
    from onbrand_lsp.features.workspace import FileResult


# Any of these can be, begin or end markup somewhere: emphasis, code, links, HTML, entities, tables,
# formulas, and addresses that GitHub's Markdown links without being asked.
_MARKUP = re.compile(r"[\\`*_\[\]<>|~$&@^{}]|:(?=//)|(?<=\b[wW]{3})\.|!(?=\[)")
# What would begin a heading, a list, a rule: the text may be the first thing on its line.
_BLOCK = re.compile(r"^(?:(?=[#+=-])|(\d{1,9})(?=[.)](?: |$)))")


@dataclass(frozen=True, slots=True)
class Markup:
    """Writes Markdown, or the same as plain text."""

    markdown: bool

    def text(self, text: str) -> str:
        """Return somebody else's text on one line, so that it reads as it is."""
        line = " ".join(printable(text).replace(PLACEHOLDER, "…").split())
        if not self.markdown:
            return line
        return _BLOCK.sub(r"\1\\", _MARKUP.sub(r"\\\g<0>", line))

    def quote(self, text: str) -> str:
        """Return somebody else's text in quotation marks."""
        return f"“{self.text(text)}”"

    def strong(self, text: str) -> str:
        """Return somebody else's text, set off."""
        return f"**{self.text(text)}**" if self.markdown else self.text(text)

    def code(self, text: str) -> str:
        """Return code of our own."""
        return f"`{text}`" if self.markdown else text

    def bullets(self, items: Iterable[str]) -> str:
        """Return a list; the items are written already."""
        return "\n".join(f"- {item}" for item in items)

    def paragraphs(self, parts: Iterable[str]) -> str:
        """Return the parts that are not empty."""
        return "\n\n".join(part for part in parts if part)


def status(analysis: Analysis, brands: Sequence[str]) -> dict[str, Any]:
    """Return the state of a document that was checked.

    Args:
        analysis: what was found.
        brands: those that the writer can choose from.
    """
    report = analysis.report
    state = "problem" if analysis.problem else "ready" if report else "silent"
    found: dict[str, Any] = {
        "uri": analysis.snapshot.uri,
        "version": analysis.snapshot.version,
        "state": state,
        "message": analysis.problem or analysis.disabled_reason,
        "setUp": analysis.disabled_reason == UNCONFIGURED,
        "brand": analysis.brand,
        "brands": list(brands),
        "probability": None,
        "verdict": None,
        "gate": None,
        "flagged": 0,
        "mend": 0,
        "judged": 0,
    }
    if report is not None:
        found |= {
            "probability": report.probability,
            "verdict": report.verdict,
            "gate": report.gate,
            "flagged": len(report.flagged),
            "mend": len(report.mend),
            "judged": sum(sentence.probability is not None for sentence in report.sentences),
        }
    return found


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


def verdict(analysis: Analysis, encoding: Encoding, judged_as: JudgedAs) -> dict[str, Any]:
    """Return all that there is to say of a draft, ready for JSON.

    Args:
        analysis: what was found.
        encoding: unit of the columns.
        judged_as: asked for each other brand.
    """
    report = analysis.report
    found: dict[str, Any] = {
        "uri": analysis.snapshot.uri,
        "version": analysis.snapshot.version,
        "brand": analysis.brand,
        "probability": None,
        "verdict": None,
        "gate": None,
        "mend": 0,
        "message": analysis.problem or "onbrand is not set up for this document.",
        "sentences": [],
        "sections": [],
        "others": [],
    }
    if report is None:
        return found
    lines = analysis.snapshot.lines
    worst = sorted(report.flagged, key=lambda sentence: sentence.probability or 0.0)
    return found | {
        "probability": report.probability,
        "verdict": report.verdict,
        "gate": report.gate,
        "mend": len(report.mend),
        "message": draft_message(report),
        "sentences": [
            {
                "range": lookup.range_json(sentence.span, lines, encoding),
                "mend": sentence.to_mend,
                **_sentence(sentence),
            }
            for sentence in worst[:MAX_SENTENCES]
        ],
        "sections": [
            {
                "title": section.title,
                "range": lookup.range_json(section.span, lines, encoding),
                "probability": section.probability,
                "verdict": section.verdict,
            }
            for section in code_lens.sections(analysis)
        ],
        "others": list(_others(analysis, report, judged_as)),
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


def _others(analysis: Analysis, report: Report, judged_as: JudgedAs) -> Iterator[dict[str, Any]]:
    """Yield P of the draft for every other brand, the likeliest first."""
    if analysis.scorer is None:
        return
    brands = analysis.scorer.brands
    found = [(judged_as(name), name) for name in brands if name != report.brand and is_brand(name)]
    for p, brand in sorted(found, key=lambda other: (-(other[0] or 0.0), other[1])):
        yield {"brand": brand, "probability": p}


def summary(found: dict[str, Any]) -> str:
    """Return a `verdict` as Markdown, for editors without a panel."""
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
    """Return a voice's profile as rows of a label and a value."""
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


NEAR = 0.36
"""Cosine from which a line shows how to say the same: half of the example brands' own lines have
another one that near, and of lines on other subjects only one in twenty does."""


def near(scorer: Scorer, text: str, brand: str) -> list[Example]:
    """Return the on-brand lines that are near a sentence, the nearest first."""
    return [one for one in scorer.nearest(text, brand) if one.similarity >= NEAR]


def nearest(brand: str, examples: Sequence[Example]) -> str:
    """Return lines to show to a writer, one below the other, the most alike first."""
    if not examples:
        return f"The voice of {brand} keeps no line that is near this sentence."
    lines = [f"{n}. {_example_line(example)}" for n, example in enumerate(examples, start=1)]
    return "\n".join([f"{brand} would sound more like this:", *lines])


def _example_line(example: Example) -> str:
    text = " ".join(printable(example.text).replace(PLACEHOLDER, "…").split())
    return f"“{text}” ({example.source})" if example.source else f"“{text}”"


def configuration(path: Path | None, editor: EditorSettings) -> dict[str, Any]:
    """Return every setting in force for a file and where it was set, ready for JSON.

    Raises:
        OnbrandError: a configuration file is wrong.
    """
    found = explain(path) if path else []
    return {
        "path": str(path) if path else None,
        "settings": [_setting(setting, editor) for setting in found],
    }


def _setting(setting: Setting, editor: EditorSettings) -> dict[str, Any]:
    own = getattr(editor, setting.key, None) if setting.kind == "default" else None
    brand_override = own != getattr(EditorSettings(), setting.key, None)
    value = setting.value if own in (None, ()) else own
    return {
        "key": setting.key,
        "value": list(value) if isinstance(value, tuple) else value,
        "kind": "editor" if own is not None and brand_override else setting.kind,
        "file": setting.file,
        "line": setting.line,
        "glob": setting.glob,
    }


def configuration_text(found: dict[str, Any]) -> str:
    """Return `configuration` as Markdown."""
    lines = [f"# Configuration of {found['path'] or 'a document that was never saved'}", ""]
    if why := found.get("problem") or found.get("reason"):
        lines += [f"It is not judged: {why}", "", *filter(None, [found.get("setUp")])]
    for setting in found["settings"]:
        value = setting["value"]
        said = ", ".join(map(str, value)) if isinstance(value, list) else value
        place = f"{setting['file']}:{setting['line'] or 1}" if setting["file"] else setting["kind"]
        glob = f', glob "{setting["glob"]}"' if setting["glob"] else ""
        lines.append(f"- {setting['key']}: {'-' if value in (None, []) else said} ({place}{glob})")
    return "\n".join(lines) + "\n"


def workspace(seen: Sequence[FileResult]) -> dict[str, Any]:
    """Return how the drafts of the workspace stand, ready for JSON."""
    drafts = [
        {
            "uri": one.uri,
            "brand": report.brand,
            "probability": report.probability,
            "verdict": report.verdict,
            "flagged": len(report.flagged),
            "mend": len(report.mend),
        }
        for one in seen
        if one.found and (report := one.found.analysis.report)
    ]
    review = sum(draft["verdict"] == "review" for draft in drafts)
    flagged = sum(int(str(draft["flagged"])) for draft in drafts)
    message = (
        f"{plural(len(drafts), 'draft')} checked: {review:,} for review, "
        f"{plural(flagged, 'sentence')} off-brand."
        if drafts
        else "No drafts to check: no folder of the workspace has onbrand.toml and drafts."
    )
    return {"message": message, "flagged": flagged, "drafts": drafts}


def workspace_text(message: str, seen: Sequence[FileResult]) -> str:
    """Return the findings in the workspace as Markdown, a line each."""
    lines = [f"# {message}"]
    for one in seen:
        report = one.found.analysis.report if one.found else None
        if report is not None and report.flagged:
            lines += ["", f"## {report.path}", ""]
            lines += [
                f"- {s.line}:{s.column} {sentence_message(s, nearest=False)}"
                for s in report.flagged
            ]
    return "\n".join(lines) + "\n"
