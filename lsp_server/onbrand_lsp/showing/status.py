"""The state of one document for a status bar: what ``onbrand/status`` carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from onbrand_lsp.checking.projects import UNCONFIGURED

if TYPE_CHECKING:
    from onbrand_lsp.checking.judging import Checked


def status(checked: Checked, brands: Sequence[str]) -> dict[str, Any]:
    """Return the state of a document that was checked.

    Args:
        checked: what was found.
        brands: those that the writer can choose from.
    """
    report = checked.report
    state = "problem" if checked.problem else "ready" if report else "silent"
    found: dict[str, Any] = {
        "uri": checked.snapshot.uri,
        "version": checked.snapshot.version,
        "state": state,
        "message": checked.problem or checked.silent,
        "setUp": checked.silent == UNCONFIGURED,
        "brand": checked.brand,
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
