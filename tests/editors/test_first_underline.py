"""From a fresh VS Code to the first underline: one installation and one click, and no Python."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from editor_project import EPIC, INTELLIGENCE, Project
from waiting import until

pytestmark = [
    pytest.mark.heavy("code-server", "chromium", "playwright", "standalone"),
    pytest.mark.slow,
]


def test_try_it_underlines_the_example(tmp_path: Path) -> None:
    from code_server import code_server, platform_extension
    from workbench import Workbench, chromium

    nobody = Project(tmp_path / "project", tmp_path / "home")
    nobody.home.mkdir()
    with code_server(nobody, fresh=True) as server, chromium() as page:
        workbench = Workbench(page, server)
        page.goto(f"http://127.0.0.1:{server.port}/?ew=true")
        page.wait_for_selector(".statusbar")
        workbench.install(platform_extension())
        page.locator(".gettingStartedContainer .monaco-button", has_text="Try It").click()
        workbench.underlines(EPIC, INTELLIGENCE)
        _has_no_python(until(_servers, "the server's process"))


def _servers() -> list[Path]:
    """Return the processes of standalone builds that serve an editor."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if words[0].endswith(b"/standalone/onbrand") and b"lsp" in words:
            found.append(process)
    return found


def _has_no_python(processes: list[Path]) -> None:
    """Check the PATH that a server has, which is that of the extension that started it."""
    for process in processes:
        variables = (process / "environ").read_bytes().decode().split("\0")
        (path,) = (value[len("PATH=") :] for value in variables if value.startswith("PATH="))
        assert shutil.which("python3", path=path) is None, path
        assert shutil.which("onbrand", path=path) is None, path
        assert os.environ["PATH"] not in path
