"""Writing labels out as JSONL or CSV that reads back exactly, and opens safely in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence

# A spreadsheet runs a cell that begins with one of these as a formula ("CSV injection", OWASP);
# copy often begins so ("- Free returns", "@acme"), and must come back as it was.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
# Raw line separators are fine in JSON but cut a line in two for readers that use splitlines.
_SEPARATORS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def escape_cell(cell: str) -> str:
    """Return the cell with an apostrophe before it where a spreadsheet would see a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescape_cell(cell: str) -> str:
    """Undo `escape_cell`."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def to_jsonl(records: Iterable[Mapping[str, str | None]]) -> str:
    """Return one JSON object a line; keys without a value are left out."""
    return "".join(
        json.dumps(
            {k: v for k, v in record.items() if v is not None}, ensure_ascii=False
        ).translate(_SEPARATORS)
        + "\n"
        for record in records
    )


def to_csv(records: Iterable[Mapping[str, str | None]], columns: Sequence[str]) -> str:
    """Return CSV (RFC 4180) with a header; formula-like cells escaped, see `escape_cell`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(
        [escape_cell(record.get(name) or "") for name in columns] for record in records
    )
    return out.getvalue()
