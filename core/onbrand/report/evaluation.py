"""The results of ``onbrand evaluate`` as JSON, Markdown or a page of HTML."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onbrand.training.evaluate import Evaluation

HEADINGS = (
    "task",
    "accuracy",
    "bag of words",
    "AUROC",
    "log loss",
    "ECE",
    "recall at 5 % FPR",
    "drafts of 5",
)


def rows(result: Evaluation) -> list[tuple[str, ...]]:
    """Return the table's rows, the mean last, figures as text."""
    table: list[tuple[str, ...]] = [
        (
            task.task,
            f"{task.accuracy:.1%}",
            f"{task.baseline.accuracy:.1%}",
            f"{task.auroc:.3f}",
            f"{task.log_loss:.3f}",
            f"{task.ece:.3f}",
            f"{task.recall_at_5fpr:.0%}",
            f"{task.draft_accuracy:.1%}",
        )
        for task in result.tasks
    ]
    mean = result.mean
    table.append(
        (
            f"mean (pooled ECE {mean.pooled_ece:.3f})",
            f"{mean.accuracy:.1%}",
            f"{mean.baseline_accuracy:.1%}",
            f"{mean.auroc:.3f}",
            f"{mean.log_loss:.3f}",
            f"{mean.ece:.3f}",
            f"{mean.recall_at_5fpr:.0%}",
            f"{mean.draft_accuracy:.1%}",
        )
    )
    return table


def to_json(result: Evaluation) -> str:
    """Return the result as JSON, figures rounded to four places."""
    import msgspec

    document = msgspec.json.encode(rounded(msgspec.to_builtins(result)))
    return msgspec.json.format(document, indent=2).decode() + "\n"


def rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value with every float in it rounded to four places."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def to_markdown(result: Evaluation) -> str:
    """Return the result as a Markdown table."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" + "|---:" * (len(HEADINGS) - 1) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows(result)]
    return "\n".join(lines) + "\n"


def to_html(result: Evaluation) -> str:
    """Return the result as a page of its own."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in HEADINGS)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows(result)
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>onbrand: held-out quality</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 60rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #ddd }}
th:first-child, td:first-child {{ text-align: left }}
tr:last-child {{ font-weight: 600 }}
</style>
<h1>Held-out quality</h1>
<p>Encoder {escape(result.encoder)}. Each task is trained on its training file alone.</p>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</html>
"""


FORMATS: dict[str, Callable[[Evaluation], str]] = {
    "text": to_markdown,
    "json": to_json,
    "markdown": to_markdown,
    "html": to_html,
}
"""By name; a terminal shows "text" as a table of its own."""
