"""The commands of ``workspace/executeCommand``; each takes one object, and says what it did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, get_type_hints

from lsprotocol import types
from msgspec import Struct
from pygls.exceptions import JsonRpcInvalidParams

from onbrand.errors import OnbrandError
from onbrand.results import SentenceVerdict, is_brand
from onbrand.voice.storage import unknown_brand
from onbrand_lsp.arguments import (
    Choice,
    Marked,
    Nothing,
    OfDocument,
    OfSentence,
    arguments_of,
)
from onbrand_lsp.checking.checker import Checked
from onbrand_lsp.checking.judging import judge_as
from onbrand_lsp.checking.labelling import Spoken
from onbrand_lsp.checking.projects import UNCONFIGURED, Rules
from onbrand_lsp.server import OnbrandServer
from onbrand_lsp.showing import examples, places, saying, setup, verdicts
from onbrand_lsp.sync.convert import to_span
from onbrand_lsp.sync.documents import Snapshot
from onbrand_lsp.wire.capabilities import COMMANDS

Result = dict[str, Any]


async def check_workspace(ls: OnbrandServer, _: Nothing) -> Result:
    """Check every draft of the workspace."""
    seen = await ls.workspace_check.check()
    ls.workspace_check.wake()
    found = saying.workspace(seen)
    listed = ls.client.pulls and not ls.client.workspace_diagnostics and found["flagged"]
    text = saying.workspace_text(found["message"], seen) if listed else found["message"]
    ls.sayer.say(text, "workspace")
    return found


async def show_verdict(ls: OnbrandServer, about: OfDocument) -> Result:
    """Return all that there is to say of a draft."""
    checked = await _checked(ls, about.uri)
    found = await _verdict(ls, checked)
    ls.sayer.say(verdicts.summary(found), "verdict")
    return found


async def choose_brand(ls: OnbrandServer, choice: Choice) -> Result:
    """Judge a document as another brand for now, or as the configuration says again."""
    snapshot = _document(ls, choice.uri)
    known = (await _checked(ls, choice.uri)).scorer
    if choice.brand is not None and known is not None and choice.brand not in known.brands:
        raise unknown_brand(choice.brand, known.brands)
    ls.projects.choose(snapshot.uri, choice.brand)
    ls.refresh()
    as_whom = choice.brand or "the configuration says"
    ls.sayer.note(f"The document is judged as {as_whom}.")
    return {"uri": snapshot.uri, "brand": choice.brand}


async def brands(ls: OnbrandServer, about: OfDocument) -> Result:
    """Return the brands to choose from, the likeliest first, and which one is in force."""
    checked = await _checked(ls, about.uri)
    found = await _verdict(ls, checked)
    own = {"brand": checked.brand, "probability": found["probability"]}
    known = [*filter(is_brand, checked.scorer.brands)] if checked.scorer else []
    rows = [own] * (checked.brand in known) + found["others"]
    if not rows:  # no brand is in force, so none was judged
        rows = [{"brand": brand, "probability": None} for brand in known]
    rows.sort(key=lambda row: -(row["probability"] or 0.0))
    listed = ", ".join(row["brand"] for row in rows)
    ls.sayer.say(f"Judged as {checked.brand or 'nobody'}; known are {listed or 'none'}.", "brands")
    return {
        "current": checked.brand,
        "source": _source(_rules(ls, checked.snapshot), checked),
        "brands": [{"name": row["brand"], "probability": row["probability"]} for row in rows],
    }


async def restart(ls: OnbrandServer, _: Nothing) -> Result:
    """Read settings, configuration, labels, voices and encoders again."""
    ls.problems.forget()
    ls.labels.forget()
    ls.projects.changed()
    ls.ask_settings()
    await ls.engines.reload(force=True)
    ls.refresh()
    ls.sayer.say("onbrand has read its configuration and voices again.", "restart")
    return {"brands": sorted(ls.engines.brands())}


async def show_configuration(ls: OnbrandServer, about: OfDocument) -> Result:
    """Return the settings in force for a document and where they were set."""
    snapshot = _document(ls, about.uri)
    rules = _rules(ls, snapshot)
    found = await asyncio.to_thread(saying.configuration, snapshot.path, rules.editor)
    silent = snapshot.silent or rules.silent
    found |= {"problem": rules.problem, "silent": bool(silent), "reason": silent}
    found["setUp"] = setup.steps(rules.folder) if silent == UNCONFIGURED else None
    ls.sayer.say(saying.configuration_text(found), "configuration")
    return found


async def label(ls: OnbrandServer, marked: Marked) -> Result:
    """Keep what somebody says of a sentence."""
    snapshot = _document(ls, marked.uri)
    text, brand = await _sentence(ls, marked)
    brand = marked.brand or brand
    if brand is None:
        raise JsonRpcInvalidParams("onbrand.label: brand is missing")
    if not ls.projects.trusted:
        raise OnbrandError("the workspace is not trusted; trust it to label its sentences")
    rules = _rules(ls, snapshot)
    spoken = Spoken(text, brand, marked.label, _name_in(rules, snapshot))
    store = await ls.labels.add(rules, spoken)
    ls.refresh()
    ls.sayer.note(f"Marked as {marked.label}-brand for {brand}.")
    return {"brand": brand, "label": marked.label, "store": store}


async def take_back(ls: OnbrandServer, about: OfSentence) -> Result:
    """Delete the label that the user gave a sentence last, if that was in an editor."""
    snapshot = _document(ls, about.uri)
    text, brand = await _sentence(ls, about)
    brand = about.brand or brand
    if brand is None:
        raise JsonRpcInvalidParams("onbrand.takeBack: brand is missing")
    done = await ls.labels.take_back(_rules(ls, snapshot), text, brand)
    if not done:
        raise OnbrandError("you have not marked this sentence in an editor")
    ls.refresh()
    ls.sayer.note(f"Your mark for {brand} is taken back.")
    return {"brand": brand, "takenBack": True}


async def ignore_in_project(ls: OnbrandServer, about: OfSentence) -> Result:
    """Never flag a sentence in this project."""
    snapshot = _document(ls, about.uri)
    text, _ = await _sentence(ls, about)
    rules, path = _rules(ls, snapshot), snapshot.path
    place = rules.settings.source or rules.folder or (path.parent if path else None)
    if place is None:
        raise OnbrandError("the document belongs to no project; save it in one")
    from onbrand_lsp.showing import ignoring  # tomlkit is of no use to anything else

    file = await asyncio.to_thread(ignoring.ignore_in_project, place, text)
    ls.configuration_changed()
    ls.sayer.note(f"{file} lists the sentence under ignore.")
    return {"file": str(file)}


async def show_examples(ls: OnbrandServer, about: OfSentence) -> Result:
    """Return the on-brand lines nearest to a sentence."""
    checked = await _checked(ls, about.uri)
    text, brand = await _sentence(ls, about)
    brand, scorer = about.brand or brand or checked.brand, checked.scorer
    if scorer is None or brand is None:
        raise OnbrandError(checked.problem or "onbrand is not set up for this document")
    found = await ls.checker.instantly(lambda: examples.near(scorer, text, brand))
    message = examples.nearest(brand, found)
    ls.sayer.say(message, "examples")
    listed = [{"text": e.text, "similarity": e.similarity, "source": e.source} for e in found]
    return {"brand": brand, "examples": listed, "message": message}


async def profile(ls: OnbrandServer, about: OfSentence) -> Result:
    """Return what a brand's voice is like."""
    checked = await _checked(ls, about.uri)
    brand = about.brand or checked.brand
    if checked.scorer is None or brand is None:
        raise OnbrandError(checked.problem or "onbrand is not set up for this document")
    found = verdicts.profile(checked.scorer.voice(brand))
    rows = "\n".join(f"- {row['label']}: {row['value']}" for row in found["rows"])
    ls.sayer.say(f"# The voice of {brand}\n\n{rows}\n", "profile")
    return found


def register(ls: OnbrandServer) -> None:
    """Make the commands known to pygls."""
    for name, function in COMMANDS.items():
        run = globals()[function]
        kind = list(get_type_hints(run).values())[1]  # of the arguments, after the server
        ls.command(name)(_handler(name, kind, run))


def _handler(
    name: str, kind: type[Struct], run: Callable[[Any, Any], Awaitable[Result]]
) -> Callable[..., Awaitable[Result]]:
    # pygls reads these annotations, and turns arguments into types that it does not know well.
    async def handle(ls: Any, *arguments: Any) -> Any:  # noqa: ANN401
        return await run(ls, arguments_of(name, kind, arguments))

    return handle


def _document(ls: OnbrandServer, uri: str) -> Snapshot:
    snapshot = ls.documents.get(uri)
    if snapshot is None:
        raise JsonRpcInvalidParams("the document is not open")
    return snapshot


def _rules(ls: OnbrandServer, snapshot: Snapshot) -> Rules:
    return ls.projects.rules(snapshot.uri, snapshot.path)


async def _checked(ls: OnbrandServer, uri: str) -> Checked:
    checked = await ls.current(uri)
    if checked is None:
        raise JsonRpcInvalidParams("the document is not open")
    return checked


async def _verdict(ls: OnbrandServer, checked: Checked) -> Result:
    encoding = ls.documents.encoding
    ask = partial(judge_as, checked)
    return await ls.checker.instantly(lambda: verdicts.verdict(checked, encoding, ask))


async def _sentence(ls: OnbrandServer, about: OfSentence) -> tuple[str, str | None]:
    """Return the text of the sentence that is meant, and its brand where that is known."""
    if about.text is not None:
        return about.text, None
    if about.range is None:
        raise JsonRpcInvalidParams("which sentence? Give its text or its range")
    checked = await _checked(ls, about.uri)
    if about.version not in (None, checked.snapshot.version):
        raise OnbrandError("the document has changed since; try again")
    start, end = (types.Position(p.line, p.character) for p in (about.range.start, about.range.end))
    span = to_span(types.Range(start, end), checked.snapshot.lines, ls.documents.encoding)
    sentence: SentenceVerdict | None = places.sentence_in(checked, span)
    if sentence is None:
        raise OnbrandError("there is no sentence that onbrand judges")
    return sentence.text, sentence.brand


def _name_in(rules: Rules, snapshot: Snapshot) -> str:
    """Return what a project calls a document: its path from the project's folder."""
    path = snapshot.path
    if path and rules.folder and path.is_relative_to(rules.folder):
        return path.relative_to(rules.folder).as_posix()
    return path.name if path else snapshot.name


def _source(rules: Rules, checked: Checked) -> str | None:
    """Return what decides the brand of a document."""
    if rules.chosen is not None:
        return "chosen"
    if checked.document.brand is not None:
        return "front matter"
    if checked.settings.brand is not None:
        return rules.brand_source
    return "only voice" if checked.brand and is_brand(checked.brand) else None
