"""Telling the writer what a command found, in editors that do not show its result themselves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from onbrand.config import Setting, explain
from onbrand.report.message import plural, sentence_message
from onbrand_lsp.checking.options import EditorSettings

if TYPE_CHECKING:
    from onbrand_lsp.wire.protocol import SyncedServer
    from onbrand_lsp.workspace import Seen

SHORT = 300
"""Characters; what is longer, or has several lines, is shown as a document."""


class Sayer:
    """Shows messages, and texts as read-only documents. For the loop's thread."""

    def __init__(self, ls: SyncedServer) -> None:
        self._ls = ls
        self._folder: Path | None = None

    def say(self, text: str, name: str) -> None:
        """Tell the writer.

        Args:
            text: Markdown; a line, or a document.
            name: what to call the document.
        """
        ls = self._ls
        if ls.client.client_commands:
            return
        if not ls.client.show_document or (len(text) <= SHORT and "\n" not in text.strip()):
            ls.window_show_message(types.ShowMessageParams(types.MessageType.Info, text.strip()))
            return
        if self._folder is None:  # private to the user: it holds text of drafts
            self._folder = Path(tempfile.mkdtemp(prefix="onbrand-"))
        file = self._folder / f"{name}.md"
        file.write_text(text.rstrip() + "\n", encoding="utf-8", errors="replace")
        ls.window_show_document(types.ShowDocumentParams(file.as_uri(), take_focus=True))

    def note(self, text: str) -> None:
        """Tell the writer where it does not interrupt: what was done shows in the draft."""
        if not self._ls.client.client_commands:
            self._ls.window_log_message(types.LogMessageParams(types.MessageType.Info, text))

    def close(self) -> None:
        """Remove the documents."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def configuration(path: Path | None, editor: EditorSettings) -> dict[str, Any]:
    """Return every setting in force for a file and where it was set, ready for JSON.

    Raises:
        OnbrandError: a configuration file is wrong.
    """
    found = explain(path) if path else []
    return {
        "path": str(path) if path else None,
        "settings": [_setting(setting, editor) for setting in found],
    }


def _setting(setting: Setting, editor: EditorSettings) -> dict[str, Any]:
    own = getattr(editor, setting.key, None) if setting.kind == "default" else None
    chosen = own != getattr(EditorSettings(), setting.key, None)
    value = setting.value if own in (None, ()) else own
    return {
        "key": setting.key,
        "value": list(value) if isinstance(value, tuple) else value,
        "kind": "editor" if own is not None and chosen else setting.kind,
        "file": setting.file,
        "line": setting.line,
        "glob": setting.glob,
    }


def configuration_text(found: dict[str, Any]) -> str:
    """Return `configuration` as Markdown."""
    lines = [f"# Configuration of {found['path'] or 'a document that was never saved'}", ""]
    if why := found.get("problem") or found.get("reason"):
        lines += [f"It is not judged: {why}", "", *filter(None, [found.get("setUp")])]
    for setting in found["settings"]:
        value = setting["value"]
        said = ", ".join(map(str, value)) if isinstance(value, list) else value
        place = f"{setting['file']}:{setting['line'] or 1}" if setting["file"] else setting["kind"]
        glob = f', glob "{setting["glob"]}"' if setting["glob"] else ""
        lines.append(f"- {setting['key']}: {'-' if value in (None, []) else said} ({place}{glob})")
    return "\n".join(lines) + "\n"


def workspace(seen: Sequence[Seen]) -> dict[str, Any]:
    """Return how the drafts of the workspace stand, ready for JSON."""
    drafts = [
        {
            "uri": one.uri,
            "brand": report.brand,
            "probability": report.probability,
            "verdict": report.verdict,
            "flagged": len(report.flagged),
            "mend": len(report.mend),
        }
        for one in seen
        if one.found and (report := one.found.checked.report)
    ]
    review = sum(draft["verdict"] == "review" for draft in drafts)
    flagged = sum(int(str(draft["flagged"])) for draft in drafts)
    message = (
        f"{plural(len(drafts), 'draft')} checked: {review:,} for review, "
        f"{plural(flagged, 'sentence')} off-brand."
        if drafts
        else "No drafts to check: no folder of the workspace has onbrand.toml and drafts."
    )
    return {"message": message, "flagged": flagged, "drafts": drafts}


def workspace_text(message: str, seen: Sequence[Seen]) -> str:
    """Return the findings in the workspace as Markdown, a line each."""
    lines = [f"# {message}"]
    for one in seen:
        report = one.found.checked.report if one.found else None
        if report is not None and report.flagged:
            lines += ["", f"## {report.path}", ""]
            lines += [
                f"- {s.line}:{s.column} {sentence_message(s, nearest=False)}"
                for s in report.flagged
            ]
    return "\n".join(lines) + "\n"
