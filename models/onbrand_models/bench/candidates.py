"""What is compared: bundles exported for the comparison, and ready ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onbrand.errors import OnbrandError
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_models.source import SourceModel
from onbrand_models.targets import Target

TARGETS = (Target.PORTABLE, Target.ACCURATE)
"""Compared by default: the fast recipe and the faithful one."""

Refuse = Callable[[str, OnbrandError], None]
"""Told the name of a candidate that is left out, and why."""


@dataclass(frozen=True)
class Candidate:
    """A bundle under comparison."""

    name: str
    """Layers and target in the words that ``onbrand models export`` takes, or a ready bundle."""
    bundle: Path
    float32: Path | None = None
    """The bundle of the same layers that is not quantised; None where there is none."""


def default_layers(depth: int) -> list[str]:
    """Return the choices worth a look in a model of ``depth`` layers: all, the lower half, last."""
    return ["all", f"0-{depth // 2}", "last"]


def ready_candidates(bundles: Sequence[Path]) -> list[Candidate]:
    """Return bundles that exist as candidates, each once."""
    unique = {bundle.resolve(): bundle for bundle in bundles}
    names = [bundle.resolve().name for bundle in unique.values()]
    return [
        Candidate(name if names.count(name) == 1 else str(bundle), bundle)
        for name, bundle in zip(names, unique.values(), strict=True)
    ]


def export_candidates(
    source: SourceModel,
    layers: Sequence[str],
    targets: Sequence[Target],
    folder: Path,
    *,
    refuse: Refuse,
    progress: Progress = silent,
) -> Iterator[Candidate]:
    """Export every pair of layers and target, yielding each bundle as it is there.

    Each choice of layers goes through PyTorch once, in 32-bit floats; the recipes start from that.

    Args:
        source: the model.
        layers: choices as `ExportOptions.layers` takes them.
        targets: the recipes.
        folder: where the bundles go, one folder each.
        refuse: told of what could not be made; the rest goes on.
        progress: told what is being made, and how much is done.
    """
    # Only here: ready bundles are compared without PyTorch and onnx.
    from onbrand_models.export import ExportOptions, export_bundle
    from onbrand_models.requantise import quantise_bundle

    choices, targets = _distinct(layers, source.num_layers, refuse), list(dict.fromkeys(targets))
    for i, choice in enumerate(choices):
        progress(ProgressEvent(choice, i, len(choices)))
        float32 = folder / f"{choice}-{Target.FLOAT32}"
        options = ExportOptions(layers=choice, target=Target.FLOAT32, measure=False)
        try:
            export_bundle(source, float32, options)
        except OnbrandError as error:
            refuse(choice, error)
            continue
        for j, target in enumerate(targets, start=1):
            name, bundle = f"{choice} {target}", folder / f"{choice}-{target}"
            progress(ProgressEvent(name, i + j / (1 + len(targets)), len(choices)))
            try:
                if target is not Target.FLOAT32:
                    quantise_bundle(float32, bundle, target)
            except OnbrandError as error:
                refuse(name, error)
                continue
            yield Candidate(name, bundle, float32)


def _distinct(layers: Sequence[str], depth: int, refuse: Refuse) -> list[str]:
    """Return the choices that the model has, each once: ``all`` may be ``0-6`` as well."""
    from onbrand_models.export import parse_layers

    choices: dict[tuple[int, ...], str] = {}
    for choice in layers:
        try:
            choices.setdefault(tuple(parse_layers(choice, depth)), choice)
        except OnbrandError as error:
            refuse(choice, error)
    return list(choices.values())
