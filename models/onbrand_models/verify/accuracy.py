"""Are voices trained on the bundle as accurate as voices trained on its source?"""

from __future__ import annotations

from pathlib import Path

from onbrand.encoder import Encoder
from onbrand.progress import Progress, scaled, silent
from onbrand.training.evaluate import evaluate_folder
from onbrand_models.verify.budgets import Budgets, Check


def check_accuracy(
    encoder: Encoder,
    reference: Encoder,
    folder: Path,
    budgets: Budgets,
    *,
    progress: Progress = silent,
) -> Check:
    """Train and judge the tasks of ``folder`` on both encoders and compare their mean accuracy.

    Args:
        encoder: the bundle.
        reference: the source in 32-bit floats.
        folder: pairs of ``<task>.train.jsonl`` and ``<task>.test.jsonl``.
        budgets: the points that may be lost.
        progress: told the task at hand, and how many are done.

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
        # Means of some hundred lines: the last digits of their difference are not the bundle's.
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
