"""What editors are told of one draft, word for word.

`ONBRAND_UPDATE_GOLDEN=1 pytest tests/unit/test_lsp_golden.py` writes the files anew; read the
difference before committing it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from lsp_samples import ABLE, DRAFT, FIGURES, GOLDEN, OTHERS, SYNERGY, check, voice
from lsprotocol import converters, types

from onbrand_lsp.analysis import Analysis
from onbrand_lsp.features import code_actions, code_lens, diagnostics, hover, payloads

CONVERTER = converters.get_converter()


def draft() -> Analysis:
    return check(
        DRAFT,
        FIGURES,
        why={"We leverage": SYNERGY},
        warnings=("line 43: no voice for brand 'nobody' (known: acme, borealis, c_corp)",),
    )


def as_json(value: object) -> str:
    return json.dumps(CONVERTER.unstructure(value), indent=1, ensure_ascii=False) + "\n"


def made_diagnostics() -> str:
    return as_json(diagnostics.diagnostics(draft(), "utf-16", ABLE))


def made_lenses() -> str:
    return as_json(code_lens.lenses(draft(), "utf-16"))


def made_hovers(markdown: bool) -> str:
    """The hover of every place that has one, each once."""
    analysis, client = draft(), replace(ABLE, markdown_hover=markdown)
    found: dict[str, str] = {}
    for offset in range(len(DRAFT) + 1):
        shown = hover.hover(analysis, offset, "utf-32", client, OTHERS)
        if shown is None:
            continue
        assert isinstance(shown.contents, types.MarkupContent)
        assert shown.range is not None
        start, end = shown.range.start, shown.range.end
        place = f"{start.line}:{start.character}-{end.line}:{end.character}"
        found[place] = shown.contents.value
    return "\n".join(f"=== {place}\n{text}\n" for place, text in found.items())


def made_actions() -> str:
    analysis = draft()
    assert analysis.report is not None
    context = types.CodeActionContext([])
    offers = code_actions.Offers(probabilities=OTHERS, has_near=True)
    return as_json(
        [
            code_actions.code_actions(analysis, one.span, context, "utf-16", ABLE, offers)
            for one in analysis.report.flagged
        ]
    )


def made_verdict() -> str:
    return as_json(payloads.verdict(draft(), "utf-16", OTHERS.get))


MADE: dict[str, Callable[[], str]] = {
    "diagnostics.json": made_diagnostics,
    "lenses.json": made_lenses,
    "hovers.md": lambda: made_hovers(markdown=True),
    "hovers.txt": lambda: made_hovers(markdown=False),
    "actions.json": made_actions,
    "verdict.json": made_verdict,
    "verdict.md": lambda: payloads.summary(json.loads(made_verdict())),
    "status.json": lambda: as_json(payloads.status(draft(), ["acme", "borealis"])),
    "profile.json": lambda: as_json(payloads.profile(voice("acme"))),
}


@pytest.mark.parametrize("name", MADE)
def test_golden(name: str) -> None:
    made = MADE[name]()
    golden = GOLDEN / name
    if os.environ.get("ONBRAND_UPDATE_GOLDEN"):
        golden.write_bytes(made.encode())
    assert made == golden.read_bytes().decode()
