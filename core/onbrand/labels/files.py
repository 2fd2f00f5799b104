"""Label files, and the training sets that are made of their lines.

The files are JSONL, CSV or TSV with the columns text, label, brand and doc. What is written reads
back exactly, and opens safely in a spreadsheet. A training set holds repeats once, no
contradictions, and enough lines of both classes.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from onbrand.errors import OnbrandError
from onbrand.files import MAX_TEXT_BYTES, read_text
from onbrand.labels.normalization import check_brand, clean_text, text_key

SUFFIXES = (".jsonl", ".csv", ".tsv")
_COLUMNS = ("text", "label", "brand", "doc", "author", "source", "time")
MIN_PER_CLASS = 10
"""Different lines labelled "on", and labelled "off", that training needs of a brand."""
_SHOWN = 5
"""Contradictions that are warned of one by one."""


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One line of a label file."""

    text: str
    label: Literal["on", "off"] | None
    """None only where unlabelled lines were asked for."""
    brand: str
    doc: str | None
    """The document the line is from: groups cross-validation folds, never a feature."""
    author: str | None
    source: str | None
    time: str | None
    """As written in the file; only the label store parses it."""
    path: str
    line: int
    """Counted from 1."""

    @property
    def one_line(self) -> str:
        """The text as it is trained on and encoded: on one line, words one space apart."""
        return " ".join(self.text.split())

    def error(self, message: str) -> OnbrandError:
        """Return an error that names this line."""
        return OnbrandError(message, path=self.path, line=self.line)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Which columns a line may leave out."""

    brand: str | None
    unlabelled: bool

    @property
    def needed(self) -> list[str]:
        return [
            "text",
            *([] if self.unlabelled else ["label"]),
            *([] if self.brand is not None else ["brand"]),
        ]

    @property
    def brand_hint(self) -> str:
        """How else to name the brand; published copy, which compares brands, has no other way."""
        return "" if self.unlabelled else ", or pass --brand"


def read_labels(
    paths: Iterable[Path], *, brand: str | None = None, unlabelled: bool = False
) -> list[LabelLine]:
    """Read label files, and those inside folders, in order.

    Args:
        paths: ``.jsonl``, ``.csv`` or ``.tsv`` files; a folder stands for all of them below it.
        brand: the brand of lines that name none; without it such a line is an error.
        unlabelled: allow lines without a label, for published copy.

    Returns:
        The lines as they are, with duplicates and contradictions.

    Raises:
        OnbrandError: a file cannot be read, or a line lacks something; the error names both.
    """
    rules = _Rules(None if brand is None else check_brand(brand), unlabelled)
    return [line for path in _files(paths) for line in _read_file(path, rules)]


def find_label_files(folder: Path) -> list[Path]:
    """Return the label files in ``folder`` and below, sorted."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES and not file.name.startswith((".", "~$"))
    )


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = find_label_files(path)
        if not inside:
            raise OnbrandError(f"holds no {', '.join(SUFFIXES)} file", path=path)
        yield from inside


def _read_file(path: Path, rules: _Rules) -> list[LabelLine]:
    text = read_text(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise OnbrandError(f"is no label file; expected {', '.join(SUFFIXES)}", path=path)
    records = _jsonl_records(text, path) if suffix == ".jsonl" else _csv_records(text, path, rules)
    lines = [_label_line(record, rules, path, number) for number, record in records]
    if not lines:
        raise OnbrandError(
            f"has no label lines; each needs {_quoted(rules.needed)}, e.g. "
            '{"text": "Say hello.", "label": "on", "brand": "acme"} in JSONL',
            path=path,
        )
    return lines


def _jsonl_records(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    # Not str.splitlines: it also splits at U+2028, which may be inside a JSON string.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            reason = f"is not JSON ({error.msg} at column {error.colno})"
        except (ValueError, RecursionError):
            reason = "is not JSON that can be read"
        else:
            if isinstance(record, dict):
                yield number, record
                continue
            reason = f"is a JSON {'array' if isinstance(record, list) else 'value'}, not an object"
        raise OnbrandError(
            f"{reason}; a .jsonl file has one {{…}} object per line", path=path, line=number
        )


def _csv_records(
    text: str, path: Path, rules: _Rules
) -> Iterator[tuple[int, Mapping[str, object]]]:
    header: list[str] = []
    for number, row in _csv_rows(text, path):
        if not any(cell.strip() for cell in row):
            continue
        if not header:
            header = [name.strip().lower() for name in row]
            _check_header(header, rules, path, number)
            continue
        if any(row[len(header) :]):
            raise OnbrandError(
                f"has {len(row)} cells, the header {len(header)}; "
                'put text that holds the delimiter in "quotes"',
                path=path,
                line=number,
            )
        # In a spreadsheet an empty cell is a missing value.
        cells = zip(header, row, strict=False)
        yield number, {name: unescape_cell(cell) for name, cell in cells if cell.strip()}


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    # The default limit of 128 KiB a cell is for untrusted streams; read_text has bounded the file.
    csv.field_size_limit(MAX_TEXT_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = 1
    try:
        for row in reader:
            yield number, row
            number = reader.line_num + 1
    except csv.Error as error:
        raise OnbrandError(
            f"is broken CSV ({error}); check the quotes of this row", path=path, line=number
        ) from None


def _delimiter(text: str) -> str:
    """Return the delimiter under which the header has the most known columns.

    Excel writes semicolons where the comma is the decimal sign. csv.Sniffer guesses from the rows,
    and copy is full of commas, but the names in the header are known.
    """
    head = next((line for line in io.StringIO(text, newline="") if line.strip()), "")

    def known(delimiter: str) -> int:
        names = next(csv.reader([head], delimiter=delimiter), [])
        return len({name.strip().lower() for name in names} & set(_COLUMNS))

    return max(",;\t|", key=known)


def _check_header(header: list[str], rules: _Rules, path: Path, number: int) -> None:
    missing = [name for name in rules.needed if name not in header]
    twice = [name for name in _COLUMNS if header.count(name) > 1]
    if missing:
        what = f"lacks the column {_quoted(missing)}; found {_quoted(header)}"
        hint = rules.brand_hint if missing == ["brand"] else ""
        message = f"the header {what}; name the columns in the first line{hint}"
    elif twice:
        message = f"the header has the column {_quoted(twice)} twice; keep one"
    else:
        return
    raise OnbrandError(message, path=path, line=number)


def _label_line(record: Mapping[str, object], rules: _Rules, path: Path, number: int) -> LabelLine:
    values = {name: _string(record, name, path, number) for name in _COLUMNS}

    def error(message: str) -> OnbrandError:
        return OnbrandError(message, path=path, line=number)

    text, label = values["text"], values["label"]
    if text is None or not text.strip():
        raise error(f'"text" is {_absence(record, "text")}; give the line that is labelled')
    brand = values["brand"] or rules.brand
    if brand is None:
        raise error(f'"brand" is {_absence(record, "brand")}; add it{rules.brand_hint}')
    known = _label(label)
    if known is None and (label is not None or not rules.unlabelled):
        found = _absence(record, "label") if label is None else repr(label[:40])
        raise error(f'"label" is {found}; expected "on" or "off"')
    return LabelLine(
        text=text,
        label=known,
        brand=check_brand(brand, path=path, line=number),
        doc=values["doc"],
        author=values["author"],
        source=values["source"],
        time=values["time"],
        path=str(path),
        line=number,
    )


def _label(word: str | None) -> Literal["on", "off"] | None:
    match (word or "").strip().lower():
        case "on":
            return "on"
        case "off":
            return "off"
    return None


def _string(record: Mapping[str, object], name: str, path: Path, number: int) -> str | None:
    """Return a value as text; numbers, which spreadsheets make of ids and dates, are accepted."""
    value = record.get(name)
    if isinstance(value, str):
        return clean_text(value)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and name != "text":
        return str(value)
    kind = {bool: "true or false", dict: "an object", list: "an array"}.get(type(value), "a number")
    raise OnbrandError(f'"{name}" is {kind}; expected a string', path=path, line=number)


def _absence(record: Mapping[str, object], name: str) -> str:
    if name not in record:
        return "missing"
    return "null" if record[name] is None else "empty"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name[:40]}"' for name in names)


# A spreadsheet runs a cell that begins with one of these as a formula ("CSV injection", OWASP);
# copy often begins so ("- Free returns", "@acme"), and must be read back unchanged.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
# Valid in JSON, but readers that use splitlines would split a line there.
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


def ignore(_message: str) -> None:
    """Ignore a warning."""


def drop_contradictions(
    lines: Iterable[LabelLine],
    *,
    by: Callable[[LabelLine], Hashable],
    warn: Callable[[str], None] = ignore,
) -> list[LabelLine]:
    """Leave out lines that contradict each other, one being labelled on and another off.

    Args:
        lines: labelled lines.
        by: returns a key; lines with equal keys are about the same text.
        warn: takes a warning for each contradiction, and one for all beyond a few.
    """
    keyed = [(by(line), line) for line in lines]
    firsts: dict[Hashable, LabelLine] = {}
    clashes: dict[Hashable, LabelLine] = {}
    for key, line in keyed:
        if firsts.setdefault(key, line).label != line.label:
            clashes.setdefault(key, line)
    for key, line in islice(clashes.items(), _SHOWN):
        first = firsts[key]
        warn(
            f'{first.path}:{first.line}: labelled "{first.label}" here and "{line.label}" in '
            f"{line.path}:{line.line}; both dropped"
        )
    if len(clashes) > _SHOWN:
        warn(f"{len(clashes) - _SHOWN:,} more texts are labelled both on and off; all dropped")
    return [line for key, line in keyed if key not in clashes]


def group_by_brand(
    lines: Iterable[LabelLine],
    *,
    minimum: int = MIN_PER_CLASS,
    warn: Callable[[str], None] = ignore,
) -> dict[str, list[LabelLine]]:
    """Return each brand's training lines, in the order they were read.

    Duplicates (same normalised text and label) are kept once. A text that is labelled both on and
    off for one brand is dropped, with a warning. Lines without a label are left out.

    Raises:
        OnbrandError: there are no labelled lines, a brand has fewer than ``minimum`` lines of one
            class, or two brands differ only in case and would share a folder on some systems.
    """
    labelled = [line for line in lines if line.label is not None]
    if not labelled:
        raise OnbrandError('no labelled lines; label lines "on" or "off"')
    _check_spelling(labelled)
    agreed = drop_contradictions(labelled, by=_brand_and_text, warn=warn)
    brands: dict[str, list[LabelLine]] = {line.brand: [] for line in labelled}
    once: dict[tuple[str, str], LabelLine] = {}
    for line in agreed:
        once.setdefault(_brand_and_text(line), line)
    for line in once.values():
        brands[line.brand].append(line)
    for brand, own in brands.items():
        path = next(line.path for line in labelled if line.brand == brand)
        _check_classes(brand, own, minimum, path)
    return brands


def _brand_and_text(line: LabelLine) -> tuple[str, str]:
    return line.brand, text_key(line.text)


def _check_spelling(lines: Iterable[LabelLine]) -> None:
    seen: dict[str, LabelLine] = {}
    for line in lines:
        first = seen.setdefault(line.brand.casefold(), line)
        if first.brand != line.brand:
            raise line.error(
                f'brand "{line.brand}" differs only in case from "{first.brand}" '
                f"({first.path}:{first.line}); use one spelling"
            )


def _check_classes(brand: str, lines: list[LabelLine], minimum: int, path: str) -> None:
    counts: Counter[str | None] = Counter(line.label for line in lines)
    for label, other in (("on", "off"), ("off", "on")):
        if counts[label] >= minimum:
            continue
        if not lines:
            have = "has no lines left, each text is labelled both ways"
        elif not counts[label]:
            have = f'has only "{other}" lines ({counts[other]})'
        else:
            have = f'has {counts[label]} different lines labelled "{label}"'
        raise OnbrandError(
            f'brand "{brand}" {have}; add {minimum - counts[label]} or more labelled "{label}" '
            f"({minimum} of each are the least)",
            path=path,
        )
