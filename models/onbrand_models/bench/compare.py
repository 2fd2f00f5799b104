"""The comparison: every candidate measured on the same lines, in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onbrand.encoder import Encoder, read_manifest
from onbrand.encoder.bundle import Parity
from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine
from onbrand.progress import Progress, ProgressEvent, scaled, silent
from onbrand_models.bench.candidates import Candidate, Refuse
from onbrand_models.bench.measure import (
    measure_accuracy,
    measure_cosine,
    measure_memory,
    measure_pace,
    sample_texts,
)
from onbrand_models.bench.report import Figures
from onbrand_models.trying import try_encoder

Brands = Mapping[str, Sequence[LabelLine]]

_CACHE_BYTES = 512 * 1024**2


def compare(
    candidates: Sequence[Candidate],
    brands: Brands,
    *,
    refuse: Refuse,
    progress: Progress = silent,
) -> list[Figures]:
    """Measure all candidates: memory, then speed in turns, then fidelity and accuracy.

    Args:
        candidates: the bundles; their names differ.
        brands: the labelled lines of each brand.
        refuse: told of candidates that do not run; the others go on.
        progress: told what is being measured, and how much is.

    Raises:
        OnbrandError: not one of them runs, or scikit-learn is not installed.
    """
    texts = sample_texts(brands)
    told = scaled(progress, start=0.0, size=0.1)
    encoders, memory = _open(candidates, texts, refuse, told)
    running = [candidate for candidate in candidates if candidate.name in encoders]
    if not running:
        raise _nothing_left()
    paces = measure_pace(encoders, texts, scaled(progress, start=0.1, size=0.1))
    cosines = {c.name: _cosine(c, encoders[c.name], texts) for c in running}
    encoders.clear()  # each of a big model holds a gigabyte, and accuracy needs but one at a time
    figures = []
    share = 0.8 / len(running)
    for i, candidate in enumerate(running):
        name, start = candidate.name, 0.2 + i * share
        try:
            encoder = _remembering(candidate, brands)
        except OnbrandError as error:
            refuse(name, error)
            continue
        told = scaled(progress, f"{name}:", start=start, size=share)
        manifest = encoder.manifest
        figures.append(
            Figures(
                name=name,
                fingerprint=manifest.fingerprint,
                layers=manifest.layers,
                dim=manifest.dim,
                target=manifest.target,
                quantisation=manifest.quantisation,
                accuracy=measure_accuracy(encoder, brands, told),
                pace=paces[name],
                size=manifest.size,
                memory=memory[name],
                cosine=cosines[name],
            )
        )
    if not figures:
        raise _nothing_left()
    return figures


def _nothing_left() -> OnbrandError:
    return OnbrandError("no candidate is left to compare; the warnings say why")


def _open(
    candidates: Sequence[Candidate], texts: Sequence[str], refuse: Refuse, progress: Progress
) -> tuple[dict[str, Encoder], dict[str, int | None]]:
    """Return the encoders and their memory, of the candidates that run."""
    encoders, memory = {}, {}
    for i, candidate in enumerate(candidates):
        progress(ProgressEvent("memory of", i, len(candidates), message=candidate.name))
        try:
            encoder = Encoder.load(candidate.bundle, cache_size=0)
            try_encoder(encoder, candidate.bundle, texts)
            memory[candidate.name] = measure_memory(candidate.bundle)
        except OnbrandError as error:
            refuse(candidate.name, error)
        else:
            encoders[candidate.name] = encoder
    return encoders, memory


def _cosine(candidate: Candidate, encoder: Encoder, texts: Sequence[str]) -> Parity | None:
    if candidate.float32 is None:
        return encoder.manifest.parity
    return measure_cosine(encoder, Encoder.load(candidate.float32, cache_size=0), texts)


def _remembering(candidate: Candidate, brands: Brands) -> Encoder:
    """Return an encoder that encodes a line once, of however many brands it is a line.

    Training encodes each line twice, whole and cut short.

    Raises:
        OnbrandError: one of the lines cannot be encoded.
    """
    lines = [line.text for lines in brands.values() for line in lines]
    remembered = min(2 * len(lines), _CACHE_BYTES // (4 * read_manifest(candidate.bundle).dim))
    encoder = Encoder.load(candidate.bundle, cache_size=remembered)
    # Now, so that what fails is left out; what is encoded here is not encoded again.
    try_encoder(encoder, candidate.bundle, [" ".join(text.split()) for text in lines[:remembered]])
    return encoder
