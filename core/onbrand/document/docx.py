"""Word documents to blocks: reads .docx files safely, one line of text per paragraph.

Only a few elements hold prose, so they are read from expat's events. python-docx
leaves out what was inserted with tracked changes and what stands in content controls; mammoth
makes a tree of the whole package, pictures and all. Nothing is unpacked to disk, and of a package
only the main part, its styles and the relations that lead to them are unpacked at all.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Protocol
from xml.parsers import expat

from onbrand.document import plain
from onbrand.document.blocks import Extracted
from onbrand.document.masking import LINE_SEPARATOR
from onbrand.document.positions import LINE_BREAK
from onbrand.errors import OnbrandError

MAX_UNPACKED = 32 * 1024 * 1024
MAX_ENTRIES = 2_000
MAX_RATIO = 100
"""Limit on unpacked to packed size, as in Apache POI. Real documents reach 30."""
_RATIO_FROM = 4 * 1024 * 1024
"""Bytes from which `MAX_RATIO` holds: a short text that repeats itself may exceed it."""
MAX_ELEMENTS = 1_000_000
"""Limit on XML elements, two seconds of work: double what 100,000 words take at the worst."""

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of Word's old format, and of the container of an encrypted document."""
STARTS = (b"PK\x03\x04", OLE)
"""First bytes of Word documents, whatever they are named."""
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DAMAGED = "is a damaged Word document; open it in Word and save it again"
_PROTECTED = "is a Word document with a password; remove the password and save it again"
_OLD = "is an old Word document (.doc); save it as .docx"
_NO_WORD = "holds no Word document; save the draft as .docx"
_TOO_LARGE = (
    f"unpacks to more than {MAX_UNPACKED // 1024**2} MB, the limit; save it without the pictures"
)
_UNUSUAL = "is a Word document made in an unusual way; save it anew in Word"

# Exceptions that zipfile and expat raise for malformed packages.
_NONSENSE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, expat.ExpatError),
    *(EOFError, OSError, OverflowError, ValueError, NotImplementedError, RuntimeError),
)

_Attributes = Mapping[str, str]
# Transitional, which everyone writes, and strict.
_W = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main ",
    "http://purl.oclc.org/ooxml/wordprocessingml/main ",
)
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_HIDDEN = frozenset({"del", "moveFrom", "txbxContent", "pPrChange", "rPrChange", "rt"})
"""Deleted and moved text, text boxes, former properties, and readings over Asian characters."""
_BREAKS = {"br": LINE_SEPARATOR, "cr": LINE_SEPARATOR, "tab": " ", "noBreakHyphen": "-"}
_LISTS = ("list bullet", "list number")
_NO_PROSE = ("toc ", "table of figures", "quote", "intense quote", "html preformatted")
"""Prefixes of the names of styles whose paragraphs are not prose of the draft."""
_WORD = re.compile(r"[^\W\d_]{2,}")


def decode(data: bytes) -> str:
    """Return a .docx file's text: one line for each paragraph of its body, table cells included.

    List items begin with ``- ``; a break within a paragraph is U+2028. Tracked changes count as
    accepted. The lines of quotes, tables of contents and table cells without prose are empty; text
    boxes, notes and headers have none.

    Raises:
        OnbrandError: it is protected, damaged, no Word document, or made to exhaust memory.
    """
    if data.startswith(OLE):
        raise OnbrandError(_PROTECTED if _ENCRYPTED in data else _OLD)
    if data.count(_ENTRY) > MAX_ENTRIES:  # before zipfile allocates memory for each of them
        raise OnbrandError(_UNUSUAL)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _text(package)
    except _NONSENSE:
        raise OnbrandError(_DAMAGED) from None


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks of a text that `decode` returned; that has left out quotes already."""
    return plain.extract(text, quotes, wrapped=False)


def _text(package: zipfile.ZipFile) -> str:
    if sum(entry.file_size for entry in package.infolist()) > MAX_UNPACKED:
        raise OnbrandError(_TOO_LARGE)
    main = _related(package, "", "officeDocument") or "word/document.xml"
    if main not in package.NameToInfo:
        raise OnbrandError(_NO_WORD)
    styles = _Styles()
    named = _related(package, main, "styles")
    if named in package.NameToInfo:
        _parse(_unpack(package, named), styles)
    body = _Body(styles.names)
    _parse(_unpack(package, main), body)
    return "\n".join(body.paragraphs)


def _unpack(package: zipfile.ZipFile, name: str) -> bytes:
    entry = package.getinfo(name)
    if entry.flag_bits & 1:
        raise OnbrandError(_PROTECTED)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise OnbrandError(_UNUSUAL)
    if entry.file_size > max(_RATIO_FROM, MAX_RATIO * entry.compress_size):
        raise OnbrandError(_UNUSUAL)
    with package.open(entry) as file:  # zipfile reads no more than the declared size
        return file.read(MAX_UNPACKED)


def _related(package: zipfile.ZipFile, part: str, kind: str) -> str:
    """Return the name of the part that ``part``, or the package itself, relates to as ``kind``."""
    folder, name = posixpath.split(part)
    relations = posixpath.join(folder, "_rels", f"{name}.rels")
    if relations not in package.NameToInfo:
        return ""
    reader = _Relations(kind)
    _parse(_unpack(package, relations), reader)
    if not reader.target:
        return ""
    return posixpath.normpath(posixpath.join("/", folder, reader.target)).lstrip("/")


# --- XML --------------------------------------------------------------------------------------


class _Reader(Protocol):
    def start(self, name: str, attributes: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


def _parse(xml: bytes, reader: _Reader) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(xml, True)


def _refuse_doctype(*_: object) -> None:
    """Refuse a document type declaration: Word writes none, and it may define harmful entities."""
    raise OnbrandError(_UNUSUAL)


def _local(name: str) -> str:
    """Return a WordprocessingML name without its namespace; an empty text for any other name."""
    space = next((space for space in _W if name.startswith(space)), None)
    return "" if space is None else name[len(space) :]


def _value(attributes: _Attributes, name: str = "val") -> str:
    return next((attributes[w + name] for w in _W if w + name in attributes), "")


class _Ignoring:
    """A handler of expat's events; ignores those that a subclass does not handle."""

    def end(self, name: str) -> None:
        """Take no notice."""

    def data(self, text: str) -> None:
        """Take no notice."""


class _Relations(_Ignoring):
    """Finds the target of one kind of relationship."""

    def __init__(self, kind: str) -> None:
        self.target = ""
        self._kind = f"/{kind}"

    def start(self, _name: str, attributes: _Attributes) -> None:
        if not self.target and attributes.get("Type", "").endswith(self._kind):
            self.target = attributes.get("Target", "")


class _Styles(_Ignoring):
    """Finds the names of styles, which are English in every language; their ids are not."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._id = ""

    def start(self, name: str, attributes: _Attributes) -> None:
        local = _local(name)
        if local == "style":
            self._id = _value(attributes, "styleId")
        elif local == "name":
            self.names.setdefault(self._id, _value(attributes).lower())


class _Body:
    """Collects the paragraphs of a main part, empty ones included."""

    def __init__(self, styles: Mapping[str, str]) -> None:
        self.paragraphs: list[str] = []
        self._styles = styles
        self._text: list[str] = []
        self._style = ""
        self._item = self._goes_on = self._in_text = self._in_properties = False
        self._hidden = self._tables = 0  # how many elements deep
        self._elements = 0

    def start(self, name: str, attributes: _Attributes) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise OnbrandError(_UNUSUAL)
        local = _local(name)
        if self._hidden or name == _FALLBACK:
            self._hidden += 1
        elif self._in_properties:
            self._property(local, attributes)
        elif local in _HIDDEN:
            self._hidden = 1
        elif local in _BREAKS:
            self._text.append(_BREAKS[local])
        elif local == "tbl":
            self._tables += 1
        else:
            self._in_text = local == "t"
            self._in_properties = local == "pPr"

    def _property(self, local: str, attributes: _Attributes) -> None:
        if local in ("pPrChange", "rPrChange"):
            self._hidden = 1
        elif local == "pStyle":
            self._style = self._styles.get(_value(attributes), "")
        elif local == "numId":
            self._item = _value(attributes) != "0"
        elif local in ("del", "moveFrom"):  # the paragraph's mark is: the next one goes on here
            self._goes_on = True

    def end(self, name: str) -> None:
        if self._hidden:
            self._hidden -= 1
            return
        local = _local(name)
        if local == "p":
            self._end_paragraph()
        elif local == "tbl":
            self._tables -= 1
        elif local == "pPr":
            self._in_properties = False
        elif local == "t":
            self._in_text = False

    def data(self, text: str) -> None:
        if self._in_text and not self._hidden:
            self._text.append(text)

    def _end_paragraph(self) -> None:
        if self._goes_on:
            self._goes_on = False
            return
        text = LINE_BREAK.sub(" ", "".join(self._text)).strip()
        style = self._style
        item = (self._item and not style.startswith("heading")) or style.startswith(_LISTS)
        if not text or style.startswith(_NO_PROSE) or (self._tables and _is_figures(text)):
            self.paragraphs.append("")
        else:
            self.paragraphs.append("- " * item + text)
        self._text, self._style, self._item = [], "", False


def _is_figures(cell: str) -> bool:
    """Tell cells without prose, by the rule that holds for tables in HTML and Markdown."""
    letters, digits = sum(map(str.isalpha, cell)), sum(map(str.isdigit, cell))
    return digits >= letters or len(_WORD.findall(cell)) < 2
