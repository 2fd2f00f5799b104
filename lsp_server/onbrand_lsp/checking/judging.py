"""The check itself: a plan that nothing changes any more, and what comes of it. For any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b

from onbrand.config import Settings
from onbrand.document.document import Document, parse
from onbrand.document.formats import in_dialect
from onbrand.errors import Cancelled
from onbrand.results import Report
from onbrand.scorer import Scorer
from onbrand.voice.storage import unknown_brand
from onbrand_lsp.checking.engines import Engine
from onbrand_lsp.checking.labelling import Marks
from onbrand_lsp.checking.projects import Rules
from onbrand_lsp.sync.documents import Snapshot


@dataclass(frozen=True, slots=True)
class Checked:
    """A version of a document and what was found in it. Safe from any thread."""

    snapshot: Snapshot
    document: Document
    """As parsed; empty if there was nothing to judge it by."""
    settings: Settings
    """In force for it, the editor's folded in."""
    report: Report | None
    """None: it is not to be judged, or could not be."""
    scorer: Scorer | None
    """What judged it; its judgements are remembered."""
    brand: str | None
    problem: str | None
    """Why it could not be judged: one line for the writer, with the fix."""
    result_id: str
    """Equal ids, equal findings; says nothing of the version."""
    silent: str | None = None
    """Why it is not to be judged, if so; nothing is wrong."""
    rules_id: str = ""
    """Equal ids, judged and shown by the same."""


@dataclass(frozen=True)
class Plan:
    """All that a check depends on, none of which changes."""

    snapshot: Snapshot
    rules: Rules
    engine: Engine | None = None
    marks: Marks = field(default_factory=Marks)
    problem: str | None = None

    @property
    def silent(self) -> str | None:
        """Why the document is not to be judged, if so; nothing is wrong."""
        return self.snapshot.silent or self.rules.silent

    @cached_property
    def rules_id(self) -> str:
        """Name everything that the text is judged and shown by."""
        settings = self.rules.settings
        parts = (
            self.rules.chosen,
            self.silent,
            self.problem,
            settings.brand,
            settings.gate,
            settings.threshold,
            settings.quotes,
            settings.brand_key,
            settings.format,
            settings.dialect,
            settings.front_matter,
            sorted(settings.ignore),
            self.rules.editor.severity,
            settings.underline,
            settings.max_findings,
            self.engine.id if self.engine else None,
            self.marks.id,
        )
        return _digest(repr(parts), "")

    @cached_property
    def result_id(self) -> str:
        """Name what will be found."""
        return _digest(self.snapshot.text, f"{self.snapshot.format} {self.rules_id}")


class Parsed:
    """The last parse of a document, for whichever thread comes next."""

    def __init__(self) -> None:
        self._last: tuple[tuple[object, ...], Document] | None = None

    def read(self, snapshot: Snapshot, settings: Settings) -> Document:
        """Return the document as parsed, now or before."""
        dialect = settings.dialect
        said = settings.format or snapshot.format
        key = said, settings.quotes, settings.brand_key, dialect, settings.front_matter
        last = self._last
        if last is not None and last[0] == key and last[1].source == snapshot.text:
            return last[1]
        read_as = said if settings.format else in_dialect(said, snapshot.text, dialect)
        document = parse(
            snapshot.text,
            read_as,
            quotes=settings.quotes,
            brand_key=settings.brand_key,
            dialect=dialect,
            front_keys=settings.front_matter,
        )
        self._last = key, document
        return document


def _digest(text: str, more: str) -> str:
    digest = blake2b(more.encode(), digest_size=12)
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def is_its_own(checked: Checked, rules: Rules) -> bool:
    """Tell whether the document itself names the brand: then the problem is shown there."""
    return rules.chosen is None and checked.document.brand is not None


def judge(
    plan: Plan,
    parsed: Parsed,
    *,
    gives_up: Callable[[], bool] = lambda: False,
    near: int | None = None,
) -> Checked:
    """Judge a document, or only the sentences at an offset. Runs in a thread."""
    snapshot, rules, settings = plan.snapshot, plan.rules, plan.rules.settings
    if plan.engine is None:
        nothing = parse("", snapshot.format)
        nothing_found = (snapshot, nothing, settings, None, None, None, plan.problem)
        return Checked(*nothing_found, plan.result_id, plan.silent, plan.rules_id)
    scorer = plan.engine.scorer
    document = parsed.read(snapshot, settings)
    if gives_up():
        raise Cancelled
    brand = rules.chosen or document.brand or settings.brand or plan.engine.avoid
    if brand is None and len(scorer.brands) == 1:
        brand = scorer.brands[0]
    problem = _problem(brand, scorer, rules, document)
    report = None
    if problem is None:
        read = document if near is None else _part(document, near)
        report = scorer.check_document(
            read,
            path=snapshot.name,
            brand=rules.chosen,
            default_brand=brand,
            gate=settings.gate,
            threshold=settings.threshold,
            ignored=settings.ignore,
            lenient=True,
            cancelled=gives_up,
        )
        report = _without_marked(report, plan.marks)
    ids = plan.result_id, plan.rules_id
    return Checked(snapshot, document, settings, report, scorer, brand, problem, *ids)


def judge_as(checked: Checked, brand: str) -> float | None:
    """Return P of a checked document if all of it were a brand's, None where nothing is judged."""
    if checked.scorer is None:
        return None
    return checked.scorer.check_document(
        checked.document,
        path=checked.snapshot.name,
        brand=brand,
        threshold=checked.settings.threshold,
        explained=0,
    ).probability


def _problem(brand: str | None, scorer: Scorer, rules: Rules, document: Document) -> str | None:
    if brand is None:
        return (
            "which brand? Set brand in onbrand.toml, `brand:` in the front matter, or choose one "
            f"in the editor (known: {', '.join(scorer.brands)})"
        )
    if brand in scorer.brands:
        return None
    of_config = rules.chosen is None and document.brand is None
    path = rules.settings.source if of_config else None
    return str(unknown_brand(brand, scorer.brands, path=str(path) if path else None))


def _part(document: Document, near: int) -> Document:
    touched = (s for s in document.sentences if s.span.start <= near <= s.span.end)
    return replace(document, sentences=tuple(touched))


def _without_marked(report: Report, marks: Marks) -> Report:
    """Take back the findings that somebody marked as on-brand for just that brand."""
    if not marks.on:
        return report
    sentences = tuple(
        replace(sentence, flagged=False, explanation=None)
        if sentence.flagged and marks.has(sentence.brand, sentence.text)
        else sentence
        for sentence in report.sentences
    )
    return replace(report, sentences=sentences)
