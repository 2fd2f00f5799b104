"""What is in the extension's package."""

from __future__ import annotations

import io
import zipfile

import pytest
from code_server import built_extension

from onbrand import __version__

pytestmark = pytest.mark.heavy("vsix")


def test_it_carries_the_server_that_it_installs() -> None:
    with zipfile.ZipFile(built_extension()) as package:
        name = f"extension/server/onbrand-{__version__}-py3-none-any.whl"
        assert [file for file in package.namelist() if file.endswith(".whl")] == [name]
        with zipfile.ZipFile(io.BytesIO(package.read(name))) as wheel:
            files = set(wheel.namelist())
            (metadata,) = (file for file in files if file.endswith("/METADATA"))
            assert "Provides-Extra: lsp" in wheel.read(metadata).decode().splitlines()
    assert {"onbrand_lsp/server.py", "onbrand_cli/app.py", "onbrand/scorer.py"} <= files
