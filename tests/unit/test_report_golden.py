"""Every format of every sample, word for word.

`ONBRAND_UPDATE_GOLDEN=1 pytest tests/unit/test_report_golden.py` writes the files anew; read the
difference before committing it.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from onbrand.report import FORMATS, sarif
from onbrand.results import CheckResults
from report_samples import samples

GOLDEN = Path(__file__).parent.parent / "golden" / "report"


def rendered(format_: str) -> str:
    form, results = FORMATS[format_], CheckResults(*samples(), suppressed=3)
    if form.print_to is None:
        return form.render(results)
    stream = io.StringIO()
    form.print_to(results, Console(file=stream, width=80))
    return stream.getvalue()


@pytest.mark.parametrize("format_", FORMATS)
def test_format(format_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "__version__", "0.0.0")
    made = rendered(format_).encode()
    golden = GOLDEN / f"samples.{format_}"
    if os.environ.get("ONBRAND_UPDATE_GOLDEN"):
        golden.write_bytes(made)
    assert made.decode() == golden.read_bytes().decode()
