"""``onbrand evaluate``: the recipe's quality on a folder of labelled tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from onbrand_cli.common import EncoderFolder, Output, json_text, progress_bar

if TYPE_CHECKING:
    from onbrand.training.evaluate import Evaluation

EXAMPLES = """\b
Examples:
  onbrand evaluate tasks/
  onbrand evaluate tasks/ --format html -o quality.html
"""
Format = Literal["text", "json", "markdown", "html"]
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
SHORT_HEADINGS = (
    "task",
    "accuracy",
    "bag of\nwords",
    "AUROC",
    "log\nloss",
    "ECE",
    "recall*",
    "drafts\nof 5",
)
"""The same for a terminal of 80 columns."""


def evaluate(
    folder: Annotated[
        Path, typer.Argument(help="Folder with TASK.train.jsonl and TASK.test.jsonl pairs.")
    ],
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = "text",
    output: Output = None,
    published: Annotated[
        bool,
        typer.Option("--published", help="Learn from the unlabelled TASK.pool.jsonl files too."),
    ] = False,
    encoder: EncoderFolder = None,
) -> None:
    """Train on each task's training file, judge on its test file.

    A bag of words, fitted on the same lines, stands beside it.
    """
    from onbrand.encoder import Encoder
    from onbrand.files import write_atomic
    from onbrand.training.evaluate import evaluate_folder

    with progress_bar("Evaluating") as progress:
        result = evaluate_folder(
            folder, Encoder.load(encoder), published=published, progress=progress
        )
    if form == "text" and output is None:
        _print_table(result)
        return
    document = {"json": to_json, "html": to_html, "markdown": to_markdown, "text": to_markdown}[
        form
    ]
    rendered = document(result)
    if output is None:
        typer.echo(rendered, nl=False)
    else:
        write_atomic(output, rendered)


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


def _print_table(result: Evaluation) -> None:
    from onbrand_cli.common import new_console, new_table

    table = new_table(*SHORT_HEADINGS)
    *tasks, mean = rows(result)
    for row in tasks:
        table.add_row(*row)
    table.add_section()
    table.add_row("mean", *mean[1:], style="bold")
    console = new_console()
    console.print(table)
    console.print(
        f"ECE: calibration error; over all lines together {result.mean.pooled_ece:.3f}.\n"
        "* off-brand lines found at 5 % false alarms"
    )
    if result.mean.stopped is not None:
        stopped = f"{result.mean.stopped:.0%}"
        console.print(f"Of pages in wrong voices that they never saw, voices stop {stopped}.")


def to_json(result: Evaluation) -> str:
    """Return the result as JSON, figures rounded to four places."""
    import msgspec

    return json_text(rounded(msgspec.to_builtins(result))) + "\n"


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
    from html import escape

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
