"""Do the voices say the same of real drafts by the bundle's vectors and by the source's?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from onbrand.errors import OnbrandError
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.scorer import Scorer
from onbrand.text.document import Document
from onbrand.verdict import SentenceVerdict
from onbrand_models.verify.budgets import Budgets, Check

REMEMBERED = 20_000
"""Sentences of a draft whose judgement is kept, so that only the first voice waits for vectors."""


class _Pair(NamedTuple):
    """One sentence by one voice: the verdict of the bundle and that of the source."""

    path: Path
    found: SentenceVerdict
    expected: SentenceVerdict

    @property
    def moved(self) -> float:
        """How far P moved; 0 where one of them did not judge."""
        a, b = self.found.probability, self.expected.probability
        return 0.0 if a is None or b is None else abs(a - b)


def check_verdicts(
    scorer: Scorer,
    reference: Scorer,
    drafts: Mapping[Path, Document],
    budgets: Budgets,
    *,
    found: int,
    progress: Progress = silent,
) -> Check:
    """Judge each draft by every voice with both encoders and count what differs.

    Every voice and not only a draft's own: the flags of other brands' text lie nearer to the
    thresholds, so they show a change sooner.

    Args:
        scorer: on the bundle.
        reference: the same voices on the source in 32-bit floats.
        drafts: what is judged.
        budgets: the share of flags that may differ.
        found: drafts that there are, of which ``drafts`` are some.
        progress: told the draft at hand, and how many are done.

    Raises:
        OnbrandError: not one sentence could be judged.
    """
    flags = changed = gates = reports = 0
    furthest: _Pair | None = None
    for i, (path, document) in enumerate(drafts.items()):
        progress(ProgressEvent(path.name, i, len(drafts)))
        for same_gate, pairs in _judged(scorer, reference, path, document):
            reports += 1
            gates += not same_gate
            flags += len(pairs)
            changed += sum(pair.found.flagged != pair.expected.flagged for pair in pairs)
            furthest = max([*pairs, *filter(None, [furthest])], key=_moved, default=None)
    if furthest is None:
        raise OnbrandError("no sentence of the drafts in --data could be judged; add others")
    share = 100 * changed / flags
    drawn = f"{len(drafts)} drafts" + (f" of {found:,}" if found > len(drafts) else "")
    return Check(
        "verdicts",
        share <= budgets.max_changed,
        f"{share:.2f} % of {flags:,} sentence flags differ (at most {budgets.max_changed:g} %), "
        f"{gates} of {reports:,} draft verdicts; {drawn} by {len(scorer.brands)} voices",
        notes=(_told(furthest),),
        figures={
            "flags": flags,
            "flags_changed": changed,
            "percent_changed": round(share, 3),
            "verdicts": reports,
            "verdicts_changed": gates,
            "drafts": len(drafts),
            "voices": len(scorer.brands),
            "furthest": {
                "path": str(furthest.path),
                "line": furthest.found.line,
                "brand": furthest.found.brand,
                "probability": furthest.found.probability,
                "source_probability": furthest.expected.probability,
                "text": furthest.found.text,
            },
        },
    )


def _judged(
    scorer: Scorer, reference: Scorer, path: Path, document: Document
) -> Iterator[tuple[bool, list[_Pair]]]:
    """Yield for each voice whether the draft's verdict is the same, and its judged sentences."""
    for brand in scorer.brands:
        found, expected = (
            judge.check_document(document, path=str(path), brand=brand, explained=0)
            for judge in (scorer, reference)
        )
        pairs = [
            _Pair(path, *pair) for pair in zip(found.sentences, expected.sentences, strict=True)
        ]
        judged = [p for p in pairs if (p.found.not_judged and p.expected.not_judged) is None]
        yield found.verdict == expected.verdict, judged


def _moved(pair: _Pair) -> float:
    return pair.moved


def _told(pair: _Pair) -> str:
    text = pair.found.text
    return (
        f"furthest: P {pair.expected.probability:.2f} to {pair.found.probability:.2f} for "
        f"{pair.found.brand}, {pair.path}:{pair.found.line} "
        f"“{text[:200]}{'…' if len(text) > 200 else ''}”"
    )
