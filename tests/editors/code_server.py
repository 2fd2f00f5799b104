"""Real VS Code, served to a browser by code-server, with the extension installed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from editor_project import ROOT, Project, program
from waiting import until

EXTENSION = ROOT / "lsp_server/vscode"
OPENS_WALKTHROUGH = "workbench.welcomePage.walkthroughs.openOnInstall"
# Nothing that moves, asks, or looks for news.
QUIET = {
    "chat.disableAIFeatures": True,
    "chat.commandCenter.enabled": False,
    "editor.accessibilitySupport": "off",
    "editor.cursorBlinking": "solid",
    "editor.minimap.enabled": False,
    "editor.unicodeHighlight.ambiguousCharacters": False,
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "git.enabled": False,
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.enableExperiments": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    OPENS_WALKTHROUGH: False,
}


def built_extension() -> Path:
    """Return the packaged extension, if it was built from the sources that are there."""
    vsix = EXTENSION / "onbrand.vsix"
    sources = [*(EXTENSION / "src").rglob("*.ts"), *(EXTENSION / "test-host").rglob("*.ts")]
    newest = max([EXTENSION / "package.json", *sources], key=lambda file: file.stat().st_mtime)
    fresh = vsix.exists() and vsix.stat().st_mtime >= newest.stat().st_mtime
    assert fresh, f"{newest} is newer than {vsix}; run tests/editors/install.sh extension"
    return vsix


def platform_extension() -> Path:
    """Return the packaged extension with the standalone build inside, if it is today's."""
    newest = max(
        (file for name in ("src", "example") for file in (EXTENSION / name).rglob("*.*")),
        key=lambda file: file.stat().st_mtime,
    )
    (vsix,) = EXTENSION.glob("onbrand-linux-*.vsix")
    fresh = vsix.stat().st_mtime >= newest.stat().st_mtime
    assert fresh, f"{newest} is newer than {vsix}; run tests/editors/install.sh standalone"
    return vsix


@dataclass(frozen=True)
class CodeServer:
    """A running code-server."""

    port: int
    data: Path
    """The folder of its user data, with its logs."""

    def remote(self, path: Path) -> str:
        """Return the URI by which the page names a file of this machine."""
        return f"vscode-remote://127.0.0.1:{self.port}{path}"

    def url(self, folder: Path, payload: Mapping[str, str]) -> str:
        """Return the address of a folder; ``payload`` is VS Code's own, say ``openFile``."""
        query = {"folder": str(folder), "payload": json.dumps([*payload.items()])}
        return f"http://127.0.0.1:{self.port}/?{urlencode(query)}"

    def logs(self) -> str:
        """Return what the extension and the server wrote last, and where all the logs are."""
        logs = [*(self.data / "logs").glob("**/onbrand.onbrand/*.log")]
        latest = max(logs, key=lambda log: log.stat().st_mtime, default=None)
        said = latest.read_text("utf-8")[-4000:] if latest else "The extension wrote no log."
        return f"{said}\nAll logs: {self.data / 'logs'}"


@contextmanager
def code_server(
    project: Project,
    *,
    develop: bool = False,
    fresh: bool = False,
    settings: Mapping[str, object] = {},
    options: Sequence[str] = (),
) -> Iterator[CodeServer]:
    """Serve VS Code on a free port of this machine, and end it and its children in the end.

    Args:
        project: whose home and environment it gets.
        develop: do not install the extension; the page names it as one under development.
        fresh: as it is after its own installation: no extension, no setting of onbrand's, no
            program on PATH, and workspaces are trusted or not.
        settings: more than `QUIET`.
        options: more options of code-server.
    """
    data = project.home / "vscode"
    # VS Code takes PATH from a login shell, which knows nothing of the tests' environment.
    ours: dict[str, object] = {
        "onbrand.server.path": str(Path(sys.executable).with_name("onbrand"))
    }
    if fresh:
        ours = dict.fromkeys(("security.workspace.trust.enabled", OPENS_WALKTHROUGH), True)
        ours["workbench.startupEditor"] = "welcomePage"
    everything = json.dumps(QUIET | ours | dict(settings))
    # VS Code under test keeps the user's settings in memory and reads none but the machine's.
    for scope in ("User", "Machine"):
        (data / scope).mkdir(parents=True)
        (data / scope / "settings.json").write_text(everything, "utf-8")
    config = project.home / "code-server.yaml"
    config.write_text("auth: none\ncert: false\n", "utf-8")
    extensions = project.home / "extensions"
    command = [program("code-server"), "--config", config]
    command += ["--user-data-dir", data, "--extensions-dir", extensions]
    env = {k: v for k, v in project.environment.items() if not k.startswith(("VSCODE_", "npm_"))}
    env["EXTENSIONS_GALLERY"] = json.dumps({"serviceUrl": "", "resourceUrlTemplate": ""})
    if fresh:
        (project.home / "bin").mkdir()
        # As started from a terminal, whose PATH then counts, and not the login shell's.
        env |= {"PATH": str(project.home / "bin"), "VSCODE_CLI": "1"}
    if not (develop or fresh):
        vsix = built_extension()
        install = [*command, "--install-extension", vsix]
        done = subprocess.run(install, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    port = _free_port()
    command += ["--auth", "none", "--bind-addr", f"127.0.0.1:{port}", "--disable-telemetry"]
    command += ["--disable-update-check", *([] if fresh else ["--disable-workspace-trust"])]
    command += ["--disable-getting-started-override", *options]
    log = project.home / "code-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: process.poll() is not None or _is_up(port), "code-server to listen")
        assert process.poll() is None, log.read_text("utf-8")
        yield CodeServer(port, data)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; whatever of its session is still there then is killed."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _is_up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False
