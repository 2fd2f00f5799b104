"""What the tests with real editors share."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from editor_project import Project, make_project


@pytest.fixture
def project(tmp_path: Path, example_voices: Path) -> Project:
    """A folder with configuration, voices, a draft with two findings and one without."""
    return make_project(tmp_path, example_voices)


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A folder for sockets: their path may have 107 bytes, and those of pytest's folders more."""
    with tempfile.TemporaryDirectory(prefix="onbrand-") as name:
        yield Path(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what an editor shows into the report of a test that fails with it."""
    report = yield
    if report.failed:
        for name, fixture in getattr(item, "funcargs", {}).items():
            if evidence := getattr(fixture, "evidence", None):
                report.sections.append((name, evidence()))
    return report
