"""Report of a comparison: metrics, table, chart, and which encoder to take."""

from __future__ import annotations

import io
import itertools
import math
import platform
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from onbrand.encoder.bundle import Parity
from onbrand.errors import missing_extra
from onbrand.report.message import capitalised, plural

FORMAT = 1


class Accuracy(msgspec.Struct, frozen=True):
    """Quality on held-out lines: means over the brands, rates from 0 to 1."""

    mean: float
    error: float
    """Standard error of the mean."""
    auroc: float
    log_loss: float
    baseline: float
    """Accuracy of a bag of words on the same folds."""
    brands: dict[str, float]
    """Accuracy of each brand."""


class Throughput(msgspec.Struct, frozen=True):
    """Speed of an encoder, measured in turns with the others."""

    sentences_per_second: float
    """Median over the rounds, on all threads."""
    latency_ms: float
    """Median for one sentence alone."""
    latency_p95_ms: float
    threads: int


class Metrics(msgspec.Struct, frozen=True):
    """Measurements of one candidate."""

    name: str
    fingerprint: str
    layers: tuple[int, ...]
    dim: int
    target: str
    quantisation: str
    accuracy: Accuracy
    pace: Throughput
    size: int
    """Bytes of all files."""
    memory: int | None
    """Resident bytes of a process that has used it; None if the system does not report them."""
    cosine: Parity | None
    """To 32-bit floats on the labelled lines; for an existing bundle, as in its manifest."""


class Skipped(msgspec.Struct, frozen=True):
    """A candidate that could not be made or run."""

    name: str
    reason: str


class Report(msgspec.Struct, frozen=True):
    """Content of ``bench.json``."""

    format: int
    source: str | None
    """The model that was exported; None if all bundles existed before."""
    machine: str
    lines: dict[str, int]
    """Labelled lines of each brand."""
    candidates: list[Metrics]
    left_out: list[Skipped]
    front: list[str]
    """Names on the Pareto front, the fastest first."""
    best: str
    """The most accurate."""
    choice: str
    """The fastest within one standard error of the best, see `fastest_of_the_best`."""
    advice: str


def summarise(
    candidates: Sequence[Metrics],
    left_out: Sequence[Skipped],
    lines: Mapping[str, int],
    source: str | None,
) -> Report:
    """Return the report on a comparison of at least one candidate, made on this machine.

    Args:
        candidates: their measurements.
        left_out: candidates that could not be measured.
        lines: the number of labelled lines of each brand.
        source: the model that was exported, if any.
    """
    return Report(
        format=FORMAT,
        source=source,
        machine=f"{platform.system()} {platform.machine()}",
        lines=dict(lines),
        candidates=list(candidates),
        left_out=list(left_out),
        front=[candidate.name for candidate in pareto_front(candidates)],
        best=most_accurate(candidates).name,
        choice=fastest_of_the_best(candidates).name,
        advice=recommend(candidates),
    )


SPEED_TOLERANCE = 0.05
"""Speeds that differ by less than this share count as equal: runs differ by as much."""


def standard_error(accuracies: Mapping[str, float], lines: Mapping[str, int]) -> float:
    """Return the standard error of the mean of the brands' accuracies (binomial).

    Candidates are measured on the same lines, so their difference has a smaller error than this.

    Args:
        accuracies: of each brand, 0 to 1.
        lines: how many each accuracy is of.
    """
    variance = sum(p * (1 - p) / lines[brand] for brand, p in accuracies.items())
    return math.sqrt(variance) / len(accuracies)


def pareto_front(candidates: Sequence[Metrics]) -> list[Metrics]:
    """Return the candidates on the Pareto front of accuracy and speed, the fastest first."""
    front: list[Metrics] = []
    fastest_first = sorted(
        candidates, key=lambda c: (-c.pace.sentences_per_second, -c.accuracy.mean)
    )
    for candidate in fastest_first:
        if not front or candidate.accuracy.mean > front[-1].accuracy.mean:
            front.append(candidate)
    return front


def most_accurate(candidates: Sequence[Metrics]) -> Metrics:
    """Return the candidate of the highest accuracy, the faster one of two that are equal."""
    return pareto_front(candidates)[-1]


def fastest_of_the_best(candidates: Sequence[Metrics]) -> Metrics:
    """Return the fastest candidate within one standard error of the best accuracy.

    Of several that are about equally fast it is the most accurate. The one-standard-error rule is
    of Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees, section
    3.4.3, with speed in the place of simplicity.
    """
    best = most_accurate(candidates)
    least = best.accuracy.mean - best.accuracy.error
    good = [c for c in pareto_front(candidates) if c.accuracy.mean >= least]
    fastest = good[0].pace.sentences_per_second
    return [c for c in good if c.pace.sentences_per_second >= (1 - SPEED_TOLERANCE) * fastest][-1]


def recommend(candidates: Sequence[Metrics]) -> str:
    """Return the recommendation in one line: the choice, and the rest of the Pareto front."""
    best, choice = most_accurate(candidates), fastest_of_the_best(candidates)
    others = ", ".join(c.name for c in pareto_front(candidates) if c is not choice)
    if choice is best:
        reason = "the most accurate, and none clearly faster comes within one standard error of it"
    else:
        reason = (
            f"the fastest within one standard error ({100 * best.accuracy.error:.1f} points) "
            f"of the best accuracy ({best.name})"
        )
    return f"take {choice.name}: {reason}; " + (
        f"also on the Pareto front: {others}" if others else "nothing else is on the Pareto front"
    )


HEADINGS = ("candidate", "accuracy", "sent./s", "ms", "p95", "MB", "RAM", "cosine")
"""Headings for a terminal of 80 columns, which has no room for the last of `LONG_HEADINGS`."""
LONG_HEADINGS = (
    "candidate",
    "accuracy",
    "sentences/s",
    "one sentence, ms",
    "95 % within, ms",
    "size, MB",
    "memory, MB",
    "cosine to float32",
    "lowest",
)
FRONT = "◆"
"""Mark of a candidate on the Pareto front."""


def rows(report: Report) -> list[tuple[str, ...]]:
    """Return one row for each candidate, as in `LONG_HEADINGS`."""
    return [_row(candidate, candidate.name in report.front) for candidate in report.candidates]


def _row(candidate: Metrics, front: bool) -> tuple[str, ...]:
    pace, cosine = candidate.pace, candidate.cosine
    return (
        f"{candidate.name} {FRONT}" if front else candidate.name,
        f"{candidate.accuracy.mean:.1%}",
        f"{pace.sentences_per_second:,.0f}",
        f"{pace.latency_ms:.1f}",
        f"{pace.latency_p95_ms:.1f}",
        f"{candidate.size / 1e6:.1f}",
        "–" if candidate.memory is None else f"{candidate.memory / 1e6:.0f}",
        "–" if cosine is None else f"{cosine.mean:.4f}",
        "–" if cosine is None else f"{cosine.min:.4f}",
    )


def notes(report: Report) -> list[str]:
    """Return the notes below the table, one sentence a line."""
    best = next(c for c in report.candidates if c.name == report.best)
    brands, lines = len(report.lines), sum(report.lines.values())
    return [
        f"{FRONT} on the Pareto front: none is both faster and more accurate.",
        f"Accuracy is cross-validated on {plural(lines, 'labelled line')} of "
        f"{plural(brands, 'brand')}, standard error {best.accuracy.error:.1%}; "
        f"a bag of words has {best.accuracy.baseline:.1%}.",
        f"Speed is of this machine ({report.machine}, {plural(best.pace.threads, 'thread')}), "
        "taken in turns; RAM is of a process that has used the encoder.",
        *_baseline_warning(best.accuracy),
    ]


def _baseline_warning(best: Accuracy) -> list[str]:
    if best.baseline <= best.mean:
        return []
    return [
        "A bag of words beats every candidate here: label more lines before you choose, or look "
        "for an encoder of another kind (--source)."
    ]


def to_markdown(report: Report, picture: str | None = None) -> str:
    """Return the report as a page of Markdown.

    Args:
        report: of the comparison.
        picture: file name of the chart, if there is one.
    """
    return "\n".join(
        [
            "# Encoders compared",
            "",
            f"{capitalised(report.advice)}.",
            "",
            *([f"![Accuracy against speed]({picture})", ""] if picture else []),
            *_table(LONG_HEADINGS, rows(report)),
            "",
            " ".join(notes(report)),
            *(["", "Left out:", ""] if report.left_out else []),
            *(f"- {one.name}: {one.reason}" for one in report.left_out),
            "",
        ]
    )


def _table(headings: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(headings)} |",
        "|---" + "|---:" * (len(headings) - 1) + "|",
        *(f"| {' | '.join(map(_cell, row))} |" for row in body),
    ]


def _cell(text: str) -> str:
    """Return text for a cell of a table: a folder's name may hold a bar or a line feed."""
    return " ".join(text.split()).replace("|", "\\|")


# Okabe and Ito (2008), Color Universal Design: distinct for people of any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, FAINT = "#333333", "#BBBBBB"
_POINTS_PER_MB = 2.5
"""Square of a bubble's radius, so that its area stands for the size."""
_RADII = (4.0, 20.0)
"""Of the smallest and the largest bubble, in points."""
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
"""Directions from a bubble to its label, in the order of preference."""
_GAPS = (4.0, 16.0, 28.0, 44.0, 60.0)
"""Distances from a bubble to its label, in points."""


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
        # The large ones first, as they would cover the small ones.
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
    # Room for labels, and never so close up that noise looks like a difference.
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


def _colours(candidates: Sequence[Metrics]) -> dict[str, str]:
    targets = dict.fromkeys(candidate.target for candidate in candidates)
    return {target: COLOURS[i % len(COLOURS)] for i, target in enumerate(targets)}


def _bubble(axes: Any, candidate: Metrics, colour: str, front: bool) -> None:  # noqa: ANN401
    """Draw a candidate: a disc on the Pareto front, else a ring, so that colour is not needed."""
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


def _point(candidate: Metrics) -> tuple[float, float]:
    return candidate.pace.sentences_per_second, 100 * candidate.accuracy.mean


def _radius(candidate: Metrics) -> float:
    """Return the radius of a bubble in points."""
    return min(max(math.sqrt(_POINTS_PER_MB * candidate.size / 1e6), _RADII[0]), _RADII[1])


def _front(axes: Any, report: Report) -> None:  # noqa: ANN401
    points = [_point(c) for name in report.front for c in report.candidates if c.name == name]
    x, y = zip(*points, strict=True)
    axes.plot(x, y, color=INK, linewidth=1.0, linestyle="--", zorder=2, label="Pareto front")
    # Above the axes, where no bubble is.
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8)


def _label(figure: Any, axes: Any, report: Report) -> None:  # noqa: ANN401
    """Write name and size beside each bubble, at the first place that is free."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()  # computes the layout, which places depend on
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
            # Not its own method, which includes the leader line, and that touches the bubble.
            box = Text.get_window_extent(text, renderer)
            inside = axes.bbox.containsx(box.x0) and axes.bbox.containsx(box.x1)
            inside = inside and axes.bbox.containsy(box.y0) and axes.bbox.containsy(box.y1)
            if inside and not box.count_overlaps(taken):
                taken.append(box)
                break
            text.remove()
        else:  # too crowded: an overlap is better than no label
            _annotate(axes, candidate, _SIDES[0], _GAPS[0], "bold" if bold else "normal")


def _annotate(
    axes: Any,  # noqa: ANN401
    candidate: Metrics,
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
