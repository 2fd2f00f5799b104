"""Runs the command line in this process, as the shell would run it in one of its own."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from onbrand.encoder import default_bundle, runtime
from onbrand_cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
BRANDS = EXAMPLES / "brands"
BRAND_NAMES = sorted(file.stem for file in BRANDS.glob("*.jsonl"))
DRAFTS = EXAMPLES / "drafts"
OATFOLK_DRAFT = DRAFTS / "oatfolk-launch.md"
OFF_BRAND = "Our stakeholders leverage synergies to drive scalable, best-in-class outcomes."
"""Off-brand for every example brand."""


@dataclass(frozen=True)
class Run:
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class _Stream(io.TextIOWrapper):
    terminal = False

    def isatty(self) -> bool:
        return self.terminal


def _once(load: Callable[[bytes, Any, Path], Any]) -> Callable[[bytes, Any, Path], Any]:
    """Load a part of the encoder that ships once for all commands; any other each time."""

    shipped: dict[bytes, Any] = {}

    def remembered(data: bytes, about: Any, path: Path) -> Any:
        if not path.is_relative_to(default_bundle()):
            return load(data, about, path)
        key = hashlib.sha256(data).digest()
        if key not in shipped:
            shipped[key] = load(data, about, path)
        return shipped[key]

    return remembered


_SESSION, _TOKENIZER = _once(runtime._session), _once(runtime.load_tokenizer)


def run(
    *arguments: str | Path,
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
    terminal: bool = False,
) -> Run:
    """Run ``onbrand ARGUMENTS`` 80 columns wide and return what it did.

    With ``terminal`` input and error stream are one, as in a pipe's first command.
    """
    # ASCII, as in the poorest locale: the command line must see to UTF-8 itself.
    given, out, err = (_Stream(io.BytesIO(data), encoding="ascii") for data in (stdin, b"", b""))
    given.terminal = err.terminal = terminal
    with (
        mock.patch.object(sys, "argv", ["onbrand", *map(str, arguments)]),
        mock.patch.object(sys, "stdin", given),
        mock.patch.object(runtime, "_session", _SESSION),
        mock.patch.object(runtime, "load_tokenizer", _TOKENIZER),
        mock.patch.dict(os.environ, {"COLUMNS": "80", **(env or {})}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int), "main() must end the process with a number"
    for stream in (out, err):
        stream.flush()
    return Run(code, *(stream.buffer.getvalue().decode("utf-8") for stream in (out, err)))


def error_of(done: Run) -> str:
    """Return the one line that a failed command says, without the prefix."""
    assert done.code == 2, done
    (line,) = [line for line in done.err.splitlines() if not line.startswith("warning: ")]
    assert line.startswith("error: "), line
    assert done.out == ""
    return line.removeprefix("error: ")


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content, hidden ones too."""
    files = {}
    for file in sorted(folder.rglob("*")):
        content = b"a folder"
        if file.is_symlink():
            content = f"-> {file.readlink()}".encode()
        elif file.is_file():
            content = file.read_bytes()
        files[str(file.relative_to(folder))] = content
    return files
