"""onnxruntime reports events to its maker, unless it was told not to before it was imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIRST_IMPORTS = {
    "the API": "import onbrand; onbrand.Scorer",
    "the encoder": "from onbrand.encoder import Encoder; Encoder.load()",
    "training": "import onbrand.training.train",
    "the language server": "import onbrand_lsp.models",
    "the Slack app": "from onbrand_slack.app import build_app",
    "making encoders": "import onbrand_models.quantise",
}


@pytest.mark.parametrize("first", FIRST_IMPORTS.values(), ids=FIRST_IMPORTS)
@pytest.mark.heavy("onnx")
def test_whatever_is_imported_first_nothing_is_reported(first: str, tmp_path: Path) -> None:
    """Where it reports, it keeps the session in the folder for temporary files."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    code = f"{first}\nimport onnxruntime, os\nprint(os.environ.get('ORT_DISABLE_TELEMETRY'))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == []
