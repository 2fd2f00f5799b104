"""The picture of the trade-off: accuracy against speed, and a bubble as large as the bundle."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from typing import Any, Literal

from onbrand.errors import missing_extra
from onbrand_models.bench.report import Figures, Report

# Okabe and Ito (2008), Color Universal Design: told apart by people of any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, FAINT = "#333333", "#BBBBBB"
_POINTS_PER_MB = 2.5
"""Square of a bubble's radius, so that its area stands for the size."""
_RADII = (4.0, 20.0)
"""Of the smallest and the largest bubble, in points."""
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
"""Where a label may stand, seen from its bubble, in the order of preference."""
_GAPS = (4.0, 16.0, 28.0, 44.0, 60.0)
"""How far from it, in points."""


def draw(report: Report, kind: Literal["svg", "png"]) -> bytes:
    """Return the picture of a report; the same report gives the same bytes.

    Raises:
        OnbrandError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_extra("the picture of the trade-off", "export") from None
    with rc_context({"svg.hashsalt": "onbrand", "font.size": 10.0}):
        # A figure without pyplot: no window, no global state, no choice of a backend.
        figure = Figure(figsize=(8.0, 5.0), dpi=150, layout="constrained")
        axes = figure.subplots()
        _frame(axes, report)
        colours = _colours(report.candidates)
        # The large ones first, which would cover the small ones.
        for candidate in sorted(report.candidates, key=lambda c: -c.size):
            _bubble(axes, candidate, colours[candidate.target], candidate.name in report.front)
        _front(axes, report)
        _label(figure, axes, report)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _frame(axes: Any, report: Report) -> None:  # noqa: ANN401 - matplotlib has no types here
    speeds, accuracies = zip(*map(_point, report.candidates), strict=True)
    best = next(c for c in report.candidates if c.name == report.best).accuracy
    # Room for the labels, and never so near that noise looks like a difference.
    room = max(0.15 * (max(accuracies) - min(accuracies)), 50 * best.error, 0.25)
    axes.set_xlim(0, 1.25 * max(speeds))
    axes.set_ylim(min(accuracies) - room, max(accuracies) + room)
    axes.axhspan(
        100 * (best.mean - best.error),
        100 * best.mean,
        color=FAINT,
        alpha=0.35,
        linewidth=0,
        zorder=0,
        label="within one standard error of the best",
    )
    axes.set_xlabel(f"sentences per second ({report.machine})")
    axes.set_ylabel("cross-validated accuracy, %")
    axes.set_title(f"Take {report.choice}", loc="left", fontweight="bold")
    axes.grid(color=FAINT, alpha=0.4, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _colours(candidates: Sequence[Figures]) -> dict[str, str]:
    targets = dict.fromkeys(candidate.target for candidate in candidates)
    return {target: COLOURS[i % len(COLOURS)] for i, target in enumerate(targets)}


def _bubble(axes: Any, candidate: Figures, colour: str, front: bool) -> None:  # noqa: ANN401
    """Draw a candidate: filled on the Pareto front, a ring off it, so that colour is not all."""
    x, y = _point(candidate)
    axes.scatter(
        [x],
        [y],
        s=(2 * _radius(candidate)) ** 2,
        facecolor=colour if front else "white",
        edgecolor=colour,
        linewidth=1.8,
        zorder=3,
    )


def _point(candidate: Figures) -> tuple[float, float]:
    return candidate.pace.sentences_per_second, 100 * candidate.accuracy.mean


def _radius(candidate: Figures) -> float:
    """Return the radius of a bubble in points."""
    return min(max(math.sqrt(_POINTS_PER_MB * candidate.size / 1e6), _RADII[0]), _RADII[1])


def _front(axes: Any, report: Report) -> None:  # noqa: ANN401
    points = [_point(c) for name in report.front for c in report.candidates if c.name == name]
    x, y = zip(*points, strict=True)
    axes.plot(x, y, color=INK, linewidth=1.0, linestyle="--", zorder=2, label="Pareto front")
    # Above the axes, where no bubble is.
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8)


def _label(figure: Any, axes: Any, report: Report) -> None:  # noqa: ANN401
    """Write name and size beside each bubble, at the first place where nothing else stands."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()  # settles the layout, which the places are measured in
    renderer = FigureCanvasAgg(figure).get_renderer()
    taken = []
    for candidate in report.candidates:
        middle = axes.transData.transform(_point(candidate))
        reach = _radius(candidate) * figure.dpi / 72
        taken.append(Bbox([middle - reach, middle + reach]))
    for candidate in report.candidates:
        bold = candidate.name == report.choice
        for gap, side in itertools.product(_GAPS, _SIDES):
            text = _annotate(axes, candidate, side, gap, "bold" if bold else "normal")
            text.update_positions(renderer)
            # Not its own method, which takes in the leader, and that touches the bubble.
            box = Text.get_window_extent(text, renderer)
            inside = axes.bbox.containsx(box.x0) and axes.bbox.containsx(box.x1)
            inside = inside and axes.bbox.containsy(box.y0) and axes.bbox.containsy(box.y1)
            if inside and not box.count_overlaps(taken):
                taken.append(box)
                break
            text.remove()
        else:  # too crowded: over something else is better than nowhere
            _annotate(axes, candidate, _SIDES[0], _GAPS[0], "bold" if bold else "normal")


def _annotate(
    axes: Any,  # noqa: ANN401
    candidate: Figures,
    side: tuple[int, int],
    gap: float,
    weight: str,
) -> Any:  # noqa: ANN401
    x, y = side
    reach = _radius(candidate) + gap
    return axes.annotate(
        f"{candidate.name}, {candidate.size / 1e6:.0f} MB",
        _point(candidate),
        xytext=(x * reach, y * reach),
        textcoords="offset points",
        ha={1: "left", 0: "center", -1: "right"}[x],
        va={1: "bottom", 0: "center", -1: "top"}[y],
        color=INK,
        fontsize=9,
        fontweight=weight,
        zorder=4,
        bbox={"facecolor": "white", "alpha": 0.6, "linewidth": 0, "pad": 0.5},
        arrowprops={"arrowstyle": "-", "color": FAINT} if gap > _GAPS[0] else None,
    )
