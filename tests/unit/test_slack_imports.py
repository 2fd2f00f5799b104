"""What the Slack app loads, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_NEEDED = {
    "aiohttp",
    "alembic",
    "docx",
    "lxml",
    "onnx",
    "pydantic",
    "pygls",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
}


def loaded(code: str) -> set[str]:
    """Return the top-level modules that a fresh process has after running some code."""
    modules = "sorted({name.split('.')[0] for name in sys.modules})"
    told = f"{code}\nimport json, sys\nprint(json.dumps({modules}))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, check=True)
    return set(json.loads(done.stdout))


def test_the_running_app_loads_no_training_and_no_other_server() -> None:
    modules = loaded("import onbrand_slack.run")
    assert {"slack_bolt", "sqlalchemy", "uvicorn", "numpy"} <= modules
    assert not modules & NOT_NEEDED


def test_the_command_line_does_not_load_the_app() -> None:
    modules = loaded("import onbrand_cli.servers")
    assert not modules & {"slack_bolt", "slack_sdk", "sqlalchemy", "uvicorn", "onbrand_slack"}


def test_renderers_need_no_bolt_and_no_database() -> None:
    folder = ROOT / "slackbot/onbrand_slack/render"
    names = sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")
    assert len(names) > 8
    modules = loaded("".join(f"import onbrand_slack.render.{name}\n" for name in names))
    assert not modules & {"slack_bolt", "sqlalchemy", "uvicorn", "onnxruntime"}
