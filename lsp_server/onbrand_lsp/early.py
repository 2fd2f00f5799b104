"""What begins as soon as `initialize` is answered, while pygls is still being imported."""

from __future__ import annotations

import gc
from dataclasses import dataclass

from onbrand_lsp.checking.engines import Engines, Key
from onbrand_lsp.checking.problems import Problems
from onbrand_lsp.checking.projects import Projects
from onbrand_lsp.sync.uris import path_of
from onbrand_lsp.wire.capabilities import JSON, ClientSupport, folders_of


@dataclass(frozen=True, slots=True)
class Early:
    """The parts of the server that need no pygls."""

    problems: Problems
    projects: Projects
    engines: Engines


def begin(params: JSON) -> Early:
    """Look up the configuration of the workspace folders, and begin to load their voices.

    The garbage collector rests until the server is built: it would look at pygls' thousands of
    types again and again while they are made, for a fifth of the time that takes.

    Args:
        params: what came with `initialize`.
    """
    gc.disable()
    client = ClientSupport.of(params)
    problems = Problems()
    projects = Projects(problems, trusted=client.trusted, vouched=client.vouches)
    projects.set_editor(None, client.settings)
    engines = Engines(problems)
    for uri, _name in folders_of(params):
        path = path_of(uri)
        if path is not None:
            projects.add_folder(uri, path)
    for folder in projects.folders.values():
        rules = projects.rules("", folder / "draft.md")
        if not (rules.problem or rules.silent):
            # Here and now, for two threads that import get in each other's way: loading, which
            # hardly needs the interpreter, then goes on beside the import of pygls.
            import onnxruntime  # noqa: F401
            import tokenizers  # noqa: F401

            import onbrand.scorer  # noqa: F401

            engines.warm(Key.of(rules))
    return Early(problems, projects, engines)
