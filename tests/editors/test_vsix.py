"""What is in the extension's package."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from code_server import built_extension, platform_extension
from editor_project import ROOT
from parts import is_there

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
        lock = package.read("extension/server/requirements.txt")
    assert {"onbrand_lsp/server.py", "onbrand_cli/app.py", "onbrand/scorer.py"} <= files
    assert lock == (ROOT / "requirements/server.txt").read_bytes()


@pytest.mark.parametrize("built", [built_extension, platform_extension])
def test_it_carries_an_example_that_names_no_folder_of_the_builder(
    built: Callable[[], Path],
) -> None:
    if built is platform_extension and not is_there("standalone"):
        pytest.skip("needs standalone, which is not installed here")
    with zipfile.ZipFile(built()) as package:
        files = [name for name in package.namelist() if name.startswith("extension/example/")]
        texts = [package.read(name) for name in files if not name.endswith(".safetensors")]
    assert "extension/example/draft.md" in files
    assert "extension/example/voices/quillpot/voice.json" in files
    assert not any(str(ROOT).encode() in text for text in texts)


@pytest.mark.heavy("standalone")
def test_a_package_for_one_platform_carries_a_program_and_no_wheel() -> None:
    with zipfile.ZipFile(platform_extension()) as package:
        names = package.namelist()
        program = package.getinfo("extension/standalone/onbrand")
    assert program.external_attr >> 16 & 0o111, "it can be executed"
    assert not [name for name in names if name.endswith((".whl", "direct_url.json", "/RECORD"))]
    assert not [name for name in names if "/sklearn/" in name or "/scipy/" in name]
