"""What the editor shows under the cursor: a sentence's figures, and what a directive does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from onbrand.document import directives
from onbrand.document.blocks import Comment
from onbrand.document.positions import Encoding, Span
from onbrand.report.message import capitalised, draft_message, finding, format_probability
from onbrand.results import Example, Explanation, SentenceVerdict, is_brand
from onbrand.voice.reasons import both_sides
from onbrand_lsp.features import lookup
from onbrand_lsp.features.payloads import Markup
from onbrand_lsp.positions import to_range
from onbrand_lsp.rpc.capabilities import ClientSupport

if TYPE_CHECKING:
    from onbrand_lsp.analysis import Analysis

OTHER_BRANDS = 3
EVEN = 0.5

_DIRECTIVES = {
    "disable": "onbrand judges nothing from here to {enable}, or to the end of the document.",
    "enable": "onbrand judges again from here on.",
    "disable-line": "onbrand does not judge the sentences that touch this line.",
    "disable-next-line": "onbrand does not judge the sentences that start on the next line "
    "with text.",
}


def hover(
    analysis: Analysis,
    offset: int,
    encoding: Encoding,
    client: ClientSupport,
    probabilities: Mapping[str, float] | None = None,
    explanation: Explanation | None = None,
) -> types.Hover | None:
    """Explain what stands at an offset: a comment to onbrand, the brand's name, a sentence.

    Args:
        analysis: what was found.
        offset: of the cursor, in code points.
        encoding: unit of the columns.
        client: what the editor can show.
        probabilities: of the sentence for every brand; None leaves the other brands out.
        explanation: of the sentence; by default the report's, which only flagged ones have.
    """
    markup = Markup(client.markdown_hover)
    lines, source = analysis.snapshot.lines, analysis.document.source
    sentence = lookup.sentence_at(analysis, offset)
    comment = lookup.comment_at(source, offset)
    brand_line = lookup.brand_key(source, lines, analysis.settings.brand_key)
    if sentence is not None:
        span = sentence.span
        parts = _sentence(markup, sentence, probabilities, explanation or sentence.explanation)
    elif comment is not None:
        span, parts = Span(comment.start, comment.end), _comment(markup, analysis, comment)
    elif brand_line is not None and brand_line == lines.line_of(offset):
        span, parts = lookup.line_span(brand_line, lines), _front_matter(markup, analysis)
    else:
        return None
    if not parts:
        return None
    kind = types.MarkupKind.Markdown if markup.markdown else types.MarkupKind.PlainText
    content = types.MarkupContent(kind, markup.paragraphs(parts))
    return types.Hover(content, to_range(span, lines, encoding))


def _sentence(
    markup: Markup,
    sentence: SentenceVerdict,
    probabilities: Mapping[str, float] | None,
    why: Explanation | None,
) -> Sequence[str]:
    head = _verdict(markup, sentence, why)
    if sentence.probability is None:
        return [head]
    if sentence.truncated:
        head += " The sentence is very long: only its start is judged."
    parts = [head]
    if why is not None:
        habits = (capitalised(markup.text(habit.message)) for habit in why.habits)
        parts.append(markup.bullets([*_words(markup, why), *habits]))
        parts.append(_nearest(markup, "on-brand", why.nearest_on))
        parts.append(_nearest(markup, "off-brand", why.nearest_off))
    p = format_probability(sentence.probability, sentence.threshold)
    parts.append(f"P {p}, underlined below {sentence.threshold:.2f}.")
    parts.append(_others(markup, sentence.brand, probabilities or {}))
    return parts


def _verdict(markup: Markup, sentence: SentenceVerdict, why: Explanation | None) -> str:
    brand, p, limit = sentence.brand, sentence.probability, sentence.threshold
    whose = f" for {brand}" if is_brand(brand) else ""
    if p is None:
        reason = markup.text(sentence.not_judged or "no reason given")
        return f"{markup.strong(f'Not judged{whose}')}: {reason}."
    if sentence.flagged:
        return f"{markup.strong(finding(brand, why))}."
    if p < limit:
        return (
            f"{markup.strong(f'Let pass{whose}')}: somebody marked the sentence as on-brand, or "
            "the project ignores it."
        )
    if p < EVEN:
        return f"{markup.strong(f'Uncertain{whose}')}."
    fine = f"Sounds like {brand}" if whose else "Reads like nothing that is to be avoided"
    return f"{markup.strong(fine)}."


def _others(markup: Markup, brand: str, probabilities: Mapping[str, float]) -> str:
    others = [(p, name) for name, p in probabilities.items() if name != brand and is_brand(name)]
    best = sorted(others, key=lambda other: (-other[0], other[1]))[:OTHER_BRANDS]
    listed = ", ".join(f"{markup.text(name)} {format_probability(p, 0.0)}" for p, name in best)
    return listed and f"P for other brands: {listed}"


def _words(markup: Markup, why: Explanation) -> list[str]:
    against, in_favour = both_sides(why)
    return [
        f"{side}: " + ", ".join(markup.quote(word.text) for word in found)
        for side, found in (("Speaks against", against), ("Speaks for", in_favour))
        if found
    ]


def _nearest(markup: Markup, label: str, example: Example | None) -> str:
    if example is None:
        return ""
    source = f" ({markup.text(example.source)})" if example.source else ""
    return f"Nearest {label} line{source}: {markup.quote(example.text)}"


def _comment(markup: Markup, analysis: Analysis, comment: Comment) -> Sequence[str]:
    """Say what a comment does; nothing of one that is not meant for onbrand."""
    found, warnings = directives.read_directives([comment], analysis.snapshot.lines)
    if not found:
        return [markup.text(lookup.note(warning).message) for warning in warnings]
    name, brand = found[0].name, found[0].brand
    if name != "brand":
        enable = markup.code("<!-- onbrand-enable -->")
        return [_DIRECTIVES[name].format(enable=enable)]
    if brand is None:
        return ["From here on the document's own brand holds again."]
    said = f"From here on sentences are judged as {markup.strong(brand)}."
    return [said, _voice(analysis, brand)]


def _front_matter(markup: Markup, analysis: Analysis) -> Sequence[str]:
    brand = analysis.document.brand or ""
    said = f"This document is judged as {markup.strong(brand)}."
    if analysis.report is None:
        return [
            f"This document wants to be judged as {markup.strong(brand)}.",
            markup.text(capitalised(analysis.problem or "")),
        ]
    if analysis.report.brand != brand:
        said = f"This document is judged as {markup.strong(analysis.report.brand)} for now."
    # While a check is under way the report may be of the sentence under the cursor alone.
    whole = len(analysis.report.sentences) == len(analysis.document.sentences)
    verdict = draft_message(analysis.report) if whole else ""
    return [said, markup.text(verdict), _voice(analysis, brand)]


def _voice(analysis: Analysis, brand: str) -> str:
    if analysis.scorer is None or brand not in analysis.scorer.brands:
        return "There is no voice for this brand." if analysis.scorer else ""
    voice = analysis.scorer.voice(brand).manifest
    return (
        f"Its voice was trained on {voice.labels.on} on-brand and {voice.labels.off} off-brand "
        f"lines; {voice.report.held_out.accuracy:.0%} of lines held out were told apart."
    )
