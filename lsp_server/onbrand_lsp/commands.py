"""The commands of ``workspace/executeCommand``; each takes one object, and says what it did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, get_type_hints

from lsprotocol import types
from msgspec import Struct

from onbrand.errors import OnbrandError
from onbrand.results import SentenceVerdict, is_brand
from onbrand.voice.storage import unknown_brand
from onbrand_lsp.analysis import Analysis, judge_as
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.features import code_lens, lookup, payloads
from onbrand_lsp.label_store import NewLabel
from onbrand_lsp.params import (
    BrandParams,
    DocumentParams,
    LabelParams,
    NoParams,
    SentenceParams,
    arguments_of,
)
from onbrand_lsp.positions import to_span
from onbrand_lsp.rpc.capabilities import COMMANDS
from onbrand_lsp.rpc.jsonrpc import InvalidParamsError
from onbrand_lsp.server import OnbrandServer
from onbrand_lsp.settings import UNCONFIGURED, EffectiveSettings

Result = dict[str, Any]


async def check_workspace(ls: OnbrandServer, _: NoParams) -> Result:
    """Check every draft of the workspace."""
    seen = await ls.workspace_diagnostics.check()
    ls.workspace_diagnostics.invalidate_all()
    found = payloads.workspace(seen)
    listed = ls.client.pulls and not ls.client.workspace_diagnostics and found["flagged"]
    text = payloads.workspace_text(found["message"], seen) if listed else found["message"]
    ls.messages.show(text, "workspace")
    return found


async def show_verdict(ls: OnbrandServer, about: DocumentParams) -> Result:
    """Return all that there is to say of a draft."""
    analysis = await _analysis(ls, about.uri)
    found = await _verdict(ls, analysis)
    ls.messages.show(payloads.summary(found), "verdict")
    return found


async def choose_brand(ls: OnbrandServer, choice: BrandParams) -> Result:
    """Judge a document as another brand for now, or as the configuration says again."""
    snapshot = _document(ls, choice.uri)
    known = (await _analysis(ls, choice.uri)).scorer
    if choice.brand is not None and known is not None and choice.brand not in known.brands:
        raise unknown_brand(choice.brand, known.brands)
    ls.projects.choose(snapshot.uri, choice.brand)
    ls.refresh()
    as_whom = choice.brand or "the configuration says"
    ls.messages.log(f"The document is judged as {as_whom}.")
    return {"uri": snapshot.uri, "brand": choice.brand}


async def brands(ls: OnbrandServer, about: DocumentParams) -> Result:
    """Return the brands to choose from, the likeliest first, and which one is in force."""
    analysis = await _analysis(ls, about.uri)
    found = await _verdict(ls, analysis)
    own = {"brand": analysis.brand, "probability": found["probability"]}
    known = [*filter(is_brand, analysis.scorer.brands)] if analysis.scorer else []
    rows = [own] * (analysis.brand in known) + found["others"]
    if not rows:  # no brand is in force, so none was judged
        rows = [{"brand": brand, "probability": None} for brand in known]
    rows.sort(key=lambda row: -(row["probability"] or 0.0))
    listed = ", ".join(row["brand"] for row in rows)
    ls.messages.show(
        f"Judged as {analysis.brand or 'nobody'}; known are {listed or 'none'}.", "brands"
    )
    return {
        "current": analysis.brand,
        "source": _source(_rules(ls, analysis.snapshot), analysis),
        "brands": [{"name": row["brand"], "probability": row["probability"]} for row in rows],
    }


async def restart(ls: OnbrandServer, _: NoParams) -> Result:
    """Read settings, configuration, labels, voices and encoders again."""
    ls.problems.forget()
    ls.labels.forget()
    ls.projects.changed()
    ls.ask_settings()
    await ls.models.reload(force=True)
    ls.refresh()
    ls.messages.show("onbrand has read its configuration and voices again.", "restart")
    return {"brands": sorted(ls.models.brands())}


async def show_configuration(ls: OnbrandServer, about: DocumentParams) -> Result:
    """Return the settings in force for a document and where they were set."""
    snapshot = _document(ls, about.uri)
    rules = _rules(ls, snapshot)
    found = await asyncio.to_thread(payloads.configuration, snapshot.path, rules.editor)
    silent = snapshot.disabled_reason or rules.disabled_reason
    found |= {"problem": rules.problem, "silent": bool(silent), "reason": silent}
    found["setUp"] = code_lens.steps(rules.folder) if silent == UNCONFIGURED else None
    ls.messages.show(payloads.configuration_text(found), "configuration")
    return found


async def label(ls: OnbrandServer, marked: LabelParams) -> Result:
    """Write a label of a sentence."""
    snapshot = _document(ls, marked.uri)
    text, brand = await _sentence(ls, marked)
    brand = marked.brand or brand
    if brand is None:
        raise InvalidParamsError("onbrand.label: brand is missing")
    if not ls.projects.trusted:
        raise OnbrandError("the workspace is not trusted; trust it to label its sentences")
    rules = _rules(ls, snapshot)
    spoken = NewLabel(text, brand, marked.label, _name_in(rules, snapshot))
    store = await ls.labels.add(rules, spoken)
    ls.refresh()
    ls.messages.log(f"Marked as {marked.label}-brand for {brand}.")
    return {"brand": brand, "label": marked.label, "store": store}


async def take_back(ls: OnbrandServer, about: SentenceParams) -> Result:
    """Delete the label that the user gave a sentence last, if that was in an editor."""
    snapshot = _document(ls, about.uri)
    text, brand = await _sentence(ls, about)
    brand = about.brand or brand
    if brand is None:
        raise InvalidParamsError("onbrand.takeBack: brand is missing")
    done = await ls.labels.take_back(_rules(ls, snapshot), text, brand)
    if not done:
        raise OnbrandError("you have not marked this sentence in an editor")
    ls.refresh()
    ls.messages.log(f"Your mark for {brand} is taken back.")
    return {"brand": brand, "takenBack": True}


async def ignore_in_project(ls: OnbrandServer, about: SentenceParams) -> Result:
    """Never flag a sentence in this project."""
    snapshot = _document(ls, about.uri)
    text, _ = await _sentence(ls, about)
    rules, path = _rules(ls, snapshot), snapshot.path
    place = rules.settings.source or rules.folder or (path.parent if path else None)
    if place is None:
        raise OnbrandError("the document belongs to no project; save it in one")
    from onbrand_lsp.features import config_edit  # tomlkit is of no use to anything else

    file = await asyncio.to_thread(config_edit.ignore_in_project, place, text)
    ls.configuration_changed()
    ls.messages.log(f"{file} lists the sentence under ignore.")
    return {"file": str(file)}


async def show_examples(ls: OnbrandServer, about: SentenceParams) -> Result:
    """Return the on-brand lines nearest to a sentence."""
    analysis = await _analysis(ls, about.uri)
    text, brand = await _sentence(ls, about)
    brand, scorer = about.brand or brand or analysis.brand, analysis.scorer
    if scorer is None or brand is None:
        raise OnbrandError(analysis.problem or "onbrand is not set up for this document")
    found = await ls.analyser.run_interactive(lambda: payloads.near(scorer, text, brand))
    message = payloads.nearest(brand, found)
    ls.messages.show(message, "examples")
    listed = [{"text": e.text, "similarity": e.similarity, "source": e.source} for e in found]
    return {"brand": brand, "examples": listed, "message": message}


async def profile(ls: OnbrandServer, about: SentenceParams) -> Result:
    """Return the profile of a brand's voice."""
    analysis = await _analysis(ls, about.uri)
    brand = about.brand or analysis.brand
    if analysis.scorer is None or brand is None:
        raise OnbrandError(analysis.problem or "onbrand is not set up for this document")
    found = payloads.profile(analysis.scorer.voice(brand))
    rows = "\n".join(f"- {row['label']}: {row['value']}" for row in found["rows"])
    ls.messages.show(f"# The voice of {brand}\n\n{rows}\n", "profile")
    return found


def register(ls: OnbrandServer) -> None:
    """Register the commands."""
    for name, function in COMMANDS.items():
        run = globals()[function]
        kind = list(get_type_hints(run).values())[1]  # of the arguments, after the server
        ls.command(name)(_handler(name, kind, run))


def _handler(
    name: str, kind: type[Struct], run: Callable[[Any, Any], Awaitable[Result]]
) -> Callable[..., Awaitable[Result]]:
    async def handle(ls: OnbrandServer, *arguments: object) -> Result:
        return await run(ls, arguments_of(name, kind, arguments))

    return handle


def _document(ls: OnbrandServer, uri: str) -> Snapshot:
    snapshot = ls.documents.get(uri)
    if snapshot is None:
        raise InvalidParamsError("the document is not open")
    return snapshot


def _rules(ls: OnbrandServer, snapshot: Snapshot) -> EffectiveSettings:
    return ls.projects.rules(snapshot.uri, snapshot.path)


async def _analysis(ls: OnbrandServer, uri: str) -> Analysis:
    analysis = await ls.current(uri)
    if analysis is None:
        raise InvalidParamsError("the document is not open")
    return analysis


async def _verdict(ls: OnbrandServer, analysis: Analysis) -> Result:
    encoding = ls.documents.encoding
    ask = partial(judge_as, analysis)
    return await ls.analyser.run_interactive(lambda: payloads.verdict(analysis, encoding, ask))


async def _sentence(ls: OnbrandServer, about: SentenceParams) -> tuple[str, str | None]:
    """Return the text of the sentence that is meant, and its brand where that is known."""
    if about.text is not None:
        return about.text, None
    if about.range is None:
        raise InvalidParamsError("which sentence? Give its text or its range")
    analysis = await _analysis(ls, about.uri)
    if about.version not in (None, analysis.snapshot.version):
        raise OnbrandError("the document has changed since; try again")
    start, end = (types.Position(p.line, p.character) for p in (about.range.start, about.range.end))
    span = to_span(types.Range(start, end), analysis.snapshot.lines, ls.documents.encoding)
    sentence: SentenceVerdict | None = lookup.sentence_in(analysis, span)
    if sentence is None:
        raise OnbrandError("there is no sentence that onbrand judges")
    return sentence.text, sentence.brand


def _name_in(rules: EffectiveSettings, snapshot: Snapshot) -> str:
    """Return a document's path from the project's folder."""
    path = snapshot.path
    if path and rules.folder and path.is_relative_to(rules.folder):
        return path.relative_to(rules.folder).as_posix()
    return path.name if path else snapshot.name


def _source(rules: EffectiveSettings, analysis: Analysis) -> str | None:
    """Return the source of a document's brand: chosen, front matter or configuration."""
    if rules.brand_override is not None:
        return "chosen"
    if analysis.document.brand is not None:
        return "front matter"
    if analysis.settings.brand is not None:
        return rules.brand_source
    return "only voice" if analysis.brand and is_brand(analysis.brand) else None
