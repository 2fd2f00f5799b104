"""What people say of the sentences of a check: the last word of each, kept in the label store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from onbrand.labels.model import Label
from onbrand.labels.normalization import text_key
from onbrand.labels.store import LabelStore
from onbrand.results import Report
from onbrand_slack.answer import Votes


def votes(labels: LabelStore, report: Report) -> Mapping[int, Votes]:
    """Return who calls which sentence on-brand and who off-brand, by the sentence's index.

    Args:
        labels: the workspace's own.
        report: the check. The same sentence counts wherever it was labelled before.
    """
    texts: dict[str, list[str]] = {}
    for sentence in report.sentences:
        texts.setdefault(sentence.brand, []).append(sentence.text)
    said = {brand: _last_words(labels.entries(brand, texts[brand])) for brand in texts}
    found = {
        index: said[sentence.brand].get(text_key(sentence.text))
        for index, sentence in enumerate(report.sentences)
    }
    return {index: _votes(words) for index, words in found.items() if words}


def _last_words(labels: Iterable[Label]) -> dict[str, dict[str, str]]:
    """Return the last word of each person of Slack on each text, by the text's key."""
    words: dict[str, dict[str, str]] = {}
    for label in labels:
        if label.source == "slack":
            words.setdefault(text_key(label.text), {})[label.author] = label.label
    return words


def _votes(words: Mapping[str, str]) -> Votes:
    on, off = (tuple(sorted(who for who in words if words[who] == side)) for side in ("on", "off"))
    return Votes(on=on, off=off)
