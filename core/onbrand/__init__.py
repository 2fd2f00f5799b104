"""onbrand tells writers which sentences of a draft do not sound like their brand.

    from onbrand import Scorer

    scorer = Scorer.load("voices/")
    report = scorer.check(text, brand="acme", path="draft.md")

Names load when they are first used, so that ``import onbrand`` costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onbrand.document.document import Document, Sentence, parse
    from onbrand.document.positions import Span
    from onbrand.encoder import Encoder
    from onbrand.errors import Cancelled, OnbrandError
    from onbrand.results import (
        Example,
        Explanation,
        Habit,
        Report,
        SentenceVerdict,
        WordShare,
    )
    from onbrand.scorer import Scorer
    from onbrand.voice.model import Voice
    from onbrand.voice.reasons import WordReason

__version__ = "0.1.0"

# onnxruntime (1.31 for one) reports events to its maker, on Linux too, as soon as it is imported.
# Nothing leaves the machine here, and what has been loaded cannot be told any more.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__all__ = [
    "Cancelled",
    "Document",
    "Encoder",
    "Example",
    "Explanation",
    "Habit",
    "OnbrandError",
    "Report",
    "Scorer",
    "Sentence",
    "SentenceVerdict",
    "Span",
    "Voice",
    "WordReason",
    "WordShare",
    "__version__",
    "parse",
]

_HOMES = {
    "onbrand.encoder": ["Encoder"],
    "onbrand.errors": ["Cancelled", "OnbrandError"],
    "onbrand.scorer": ["Scorer"],
    "onbrand.document.document": ["Document", "Sentence", "parse"],
    "onbrand.document.positions": ["Span"],
    "onbrand.results": [
        "Example",
        "Explanation",
        "Habit",
        "Report",
        "SentenceVerdict",
        "WordShare",
    ],
    "onbrand.voice.model": ["Voice"],
    "onbrand.voice.reasons": ["WordReason"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOME:
        raise AttributeError(f"module 'onbrand' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
