"""Made-up figures of encoders, for tests of what is made of them."""

from __future__ import annotations

from onbrand.encoder.bundle import Parity
from onbrand_models.bench.report import Accuracy, Metrics, Report, Skipped, Throughput, summarise

LINES = {"oatfolk": 200, "quillpot": 200}


def figures(name: str, accuracy: float, speed: float, *, error: float = 0.01) -> Metrics:
    """Return figures of which the accuracy and the speed matter."""
    return Metrics(
        name=name,
        fingerprint="0" * 64,
        layers=(0, 1),
        dim=16,
        target=name.split()[-1],
        quantisation="none",
        accuracy=Accuracy(
            mean=accuracy,
            error=error,
            auroc=0.9,
            log_loss=0.4,
            baseline=0.7,
            brands=dict.fromkeys(LINES, accuracy),
        ),
        pace=Throughput(speed, 1000 / speed, 2000 / speed, threads=2),
        size=24_100_000,
        memory=100_000_000,
        cosine=Parity(mean=0.99, min=0.98, sentences=256),
    )


def report() -> Report:
    """Return a report on four candidates, of which one is beaten by another and one is left out."""
    candidates = [
        figures("all accurate", 0.845, 600),
        figures("all portable", 0.84, 1000),
        figures("0-3 portable", 0.82, 2000),
        figures("last float32", 0.82, 400),
    ]
    return summarise(candidates, [Skipped("9", "no such layer")], LINES, "tiny")
