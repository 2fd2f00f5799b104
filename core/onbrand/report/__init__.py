"""The results of ``onbrand check`` as text: one module per output format, and the list of them.

A new output format is a function from `CheckResults` to a text, and an entry in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onbrand.results import CheckResults

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """An output format of ``onbrand check``."""

    name: str
    render: Callable[[CheckResults], str]
    """Returns the whole document; it must be possible to write it as UTF-8."""
    print_to: Callable[[CheckResults, Console], None] | None = None
    """Prints for people, in the colours and width of a terminal, the reports' warnings included.

    None: the document is printed, and warnings go to stderr."""


# Modules are imported when asked for: a check loads one format.
def _text(results: CheckResults) -> str:
    import io

    from rich.console import Console

    document = io.StringIO()
    console = Console(file=document, color_system=None, highlight=False, markup=False, width=100)
    _print_text(results, console)
    return document.getvalue()


def _print_text(results: CheckResults, console: Console) -> None:
    from onbrand.report import text

    text.render(
        results.reports,
        results.sources,
        console,
        suppressed=results.suppressed,
        scope=results.scope,
        errors=len(results.errors),
        quiet=results.quiet,
    )


def _json(results: CheckResults) -> str:
    from onbrand.report import json

    return json.render(results)


def _sarif(results: CheckResults) -> str:
    from onbrand.report import sarif

    return sarif.render(results.reports, results.sources, results.errors)


def _github(results: CheckResults) -> str:
    from onbrand.report import github

    return github.render(results.reports, results.sources, results.errors)


def _junit(results: CheckResults) -> str:
    from onbrand.report import junit

    return junit.render(results.reports, results.errors)


def _rdjson(results: CheckResults) -> str:
    from onbrand.report import rdjson

    return rdjson.render(results.reports, results.sources, results.errors)


def _gitlab(results: CheckResults) -> str:
    from onbrand.report import gitlab

    return gitlab.render(results.reports, results.sources, results.errors)


def _vale(results: CheckResults) -> str:
    from onbrand.report import vale

    return vale.render(results.reports, results.sources, results.errors)


def _markdown(results: CheckResults) -> str:
    from onbrand.report import markdown

    return markdown.render(results)


FORMATS: dict[str, ReportFormat] = {
    entry.name: entry
    for entry in (
        ReportFormat("text", _text, _print_text),
        ReportFormat("json", _json),
        ReportFormat("sarif", _sarif),
        ReportFormat("github", _github),
        ReportFormat("junit", _junit),
        ReportFormat("rdjson", _rdjson),
        ReportFormat("gitlab", _gitlab),
        ReportFormat("vale", _vale),
        ReportFormat("markdown", _markdown),
    )
}
"""Every format by its name, in the order in which help and errors list them."""
