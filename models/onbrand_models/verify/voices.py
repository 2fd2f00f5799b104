"""Checks of voices on a bundle and on its source: the same verdicts, and the same accuracy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from onbrand.discovery import find_drafts, read_draft
from onbrand.document import formats
from onbrand.document.document import Document, parse
from onbrand.encoder import Encoder, EncoderManifest
from onbrand.errors import OnbrandError
from onbrand.labels.files import read_labels
from onbrand.progress import Progress, ProgressEvent, scaled, silent
from onbrand.results import SentenceVerdict
from onbrand.scorer import MIN_WORDS, Scorer
from onbrand.training.evaluate import TEST, TRAIN, evaluate_folder, find_tasks, labelled_lines
from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.quantise import Target
from onbrand_models.source import SourceModel
from onbrand_models.verify.tolerances import Budgets, Check, quote

Item = TypeVar("Item")

MAX_DRAFTS = 200
MAX_LINES = 300
"""Lines of real text that parity is measured on, which are encoded one by one."""


@dataclass(frozen=True)
class Data:
    """Real text to compare a bundle and its source on."""

    drafts: dict[Path, Document]
    found: int
    """Number of drafts in the folders; at most `MAX_DRAFTS`, evenly spaced, are in `drafts`."""
    tasks: tuple[Path, ...]
    """Folders with pairs of training and test files."""

    def lines(self) -> list[str]:
        """Return up to `MAX_LINES` distinct lines of drafts and test files, evenly spaced."""
        texts = {s.text for document in self.drafts.values() for s in document.sentences}
        for folder in self.tasks:
            for task in find_tasks(folder):
                lines = read_labels([folder / (task + TEST)], brand=task, unlabelled=True)
                texts |= {line.one_line for line in lines}
        return _spread(sorted(t for t in texts if len(t.split()) >= MIN_WORDS), MAX_LINES)


def read_data(folders: Sequence[Path]) -> Data:
    """Read the drafts in ``folders``, and find their pairs of training and test files.

    Raises:
        OnbrandError: a folder is missing or holds neither drafts nor tasks; a draft is no text; a
            task lacks one half, or labels.
    """
    drafts: list[Path] = []
    tasks: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise OnbrandError(
                "no such folder; name one with drafts or with TASK.train.jsonl files", path=folder
            )
        below = sorted(path for path in folder.iterdir() if path.is_dir())
        here = [path for path in (folder, *below) if any(path.glob(f"*{TRAIN}"))]
        written = find_drafts(folder)
        if not here and not written:
            raise OnbrandError(f"holds neither drafts nor TASK{TRAIN} files", path=folder)
        for path in here:
            _check_tasks(path)
        tasks += here
        drafts += written
    unique = sorted(set(drafts))
    documents = {
        path: parse(read_draft(path, form), form.name)
        for path in _spread(unique, MAX_DRAFTS)
        if (form := formats.of_path(path))
    }
    return Data(documents, len(unique), tuple(dict.fromkeys(tasks)))


def _check_tasks(folder: Path) -> None:
    """Read the labels of a folder, so that an error comes before the work begins."""
    for task in find_tasks(folder):
        for path in (folder / (task + half) for half in (TRAIN, TEST)):
            labelled_lines(path, task)


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    places = np.linspace(0, len(items) - 1, min(len(items), most)).round().astype(int)
    return [items[place] for place in places]


def reference_encoder(source: SourceModel, manifest: EncoderManifest) -> Encoder:
    """Return ``source`` in 32-bit floats, with the bundle's fingerprint so that its voices load.

    It pools the same layers and cuts texts at the same length, so any other verdict is due to
    quantisation.

    Args:
        source: the model that the bundle was made from.
        manifest: the bundle's.

    Raises:
        OnbrandError: the source cannot be exported.
    """
    options = ExportOptions(
        layers=_layer_range(manifest.layers),
        max_tokens=manifest.max_tokens,
        target=Target.FLOAT32,
        measure=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "float32"
        export_bundle(source, bundle, options)
        encoder = Encoder.load(bundle, cache_size=0)
    encoder.fingerprint = manifest.fingerprint
    return encoder


def _layer_range(layers: tuple[int, ...]) -> str:
    first, last = layers[0], layers[-1]
    return str(first) if first == last else f"{first}-{last}"


CACHED_SENTENCES = 20_000
"""Sentences of a draft whose scores are kept, so that each is encoded once for all voices."""


class _Pair(NamedTuple):
    """Verdicts of one voice on one sentence: on the bundle and on the source."""

    path: Path
    found: SentenceVerdict
    expected: SentenceVerdict

    @property
    def moved(self) -> float:
        """Difference of the probabilities; 0 if one of them did not judge."""
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

    Every voice and not only a draft's own: on text of other brands, probabilities are nearer to the
    thresholds, so that a change shows sooner.

    Args:
        scorer: on the bundle.
        reference: the same voices on the source in 32-bit floats.
        drafts: by path.
        budgets: the share of flags that may differ.
        found: number of drafts in the folders, of which ``drafts`` are a sample.
        progress: receives the draft at hand, and how many are done.

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
            furthest = max(
                [*pairs, *filter(None, [furthest])], key=lambda pair: pair.moved, default=None
            )
    if furthest is None:
        raise OnbrandError("no sentence of the drafts in --data could be judged; add others")
    share = 100 * changed / flags
    drawn = f"{len(drafts)} drafts" + (f" of {found:,}" if found > len(drafts) else "")
    return Check(
        "verdicts",
        share <= budgets.max_changed,
        f"{share:.2f} % of {flags:,} sentence flags differ (at most {budgets.max_changed:g} %), "
        f"{gates} of {reports:,} draft verdicts; {drawn} by {len(scorer.brands)} voices",
        notes=(_describe(furthest),),
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


def _describe(pair: _Pair) -> str:
    return (
        f"furthest: P {pair.expected.probability:.2f} to {pair.found.probability:.2f} for "
        f"{pair.found.brand}, {pair.path}:{pair.found.line} {quote(pair.found.text)}"
    )


def check_accuracy(
    encoder: Encoder,
    reference: Encoder,
    folder: Path,
    budgets: Budgets,
    *,
    progress: Progress = silent,
) -> Check:
    """Train and test the tasks of ``folder`` on both encoders and compare the mean accuracy.

    Args:
        encoder: the bundle.
        reference: the source in 32-bit floats.
        folder: pairs of ``<task>.train.jsonl`` and ``<task>.test.jsonl``.
        budgets: the loss in percentage points that is allowed.
        progress: receives the task at hand, and how many are done.

    Raises:
        OnbrandError: too few or broken labels, or scikit-learn is not installed.
    """
    found, expected = (
        evaluate_folder(
            folder,
            each,
            progress=scaled(progress, start=half, size=1, total=2),
        )
        for half, each in enumerate((encoder, reference))
    )
    points = {
        task.task: 100 * (task.accuracy - source.accuracy)
        for task, source in zip(found.tasks, expected.tasks, strict=True)
    }
    loss = 100 * (expected.mean.accuracy - found.mean.accuracy)
    worst = min(points, key=lambda task: points[task])
    return Check(
        "accuracy",
        # Rounded, as the last digits of a difference of means are noise.
        round(loss, 6) <= budgets.max_accuracy_loss,
        f"{found.mean.accuracy:.1%} against the source's {expected.mean.accuracy:.1%}, "
        f"{-loss:+.2f} points (at least -{budgets.max_accuracy_loss:g}); {len(points)} tasks of "
        f"{folder}",
        notes=(f"worst: {worst} {points[worst]:+.2f} points",),
        figures={
            "folder": str(folder),
            "accuracy": found.mean.accuracy,
            "source_accuracy": expected.mean.accuracy,
            "points": -loss,
            "tasks": points,
        },
    )
