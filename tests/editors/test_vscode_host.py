"""The extension's own cases, run inside the extension host of a real VS Code.

@vscode/test-electron would download a VS Code; the one that is there already runs them as well.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from editor_project import Project
from waiting import until

pytestmark = [
    pytest.mark.heavy("code-server", "chromium", "playwright", "vsix"),
    pytest.mark.slow,
]


def test_the_extensions_own_cases_pass_inside_vs_code(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from code_server import EXTENSION, code_server
    from workbench import chromium

    results = tmp_path / "results.json"
    monkeypatch.setenv("ONBRAND_TEST_RESULT", str(results))
    # Without the option a packaged VS Code takes no notice of `extensionTestsPath`.
    options = ["--vscode-option", "enable-smoke-test-driver"]
    with code_server(project, develop=True, options=options) as server, chromium() as page:
        ended: list[int] = []
        said: list[str] = []
        page.expose_function("codeAutomationLog", lambda *words: said.append(str(words)))
        page.expose_function("codeAutomationExit", lambda code: ended.append(code))
        payload = {
            "extensionDevelopmentPath": server.remote(EXTENSION),
            "extensionTestsPath": server.remote(EXTENSION / "dist/test-host.cjs"),
        }
        page.goto(server.url(project.folder, payload))

        def has_ended() -> list[int]:
            page.wait_for_timeout(100)  # what the page calls is delivered only in here
            return ended

        until(has_ended, "the cases to end", seconds=600)
        assert results.exists(), "\n".join([*said[-20:], server.logs()])
        cases = json.loads(results.read_text("utf-8"))
        failed = [f"{case['name']}\n{case['error']}" for case in cases if "error" in case]
        assert not failed, "\n\n".join([*failed, server.logs()])
        assert len(cases) > 10
        assert ended == [0]
