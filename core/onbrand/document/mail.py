"""E-mails to blocks: the subject and the text that the sender wrote.

`email.parser` does not tell where a part or a character stands in the source, so headers, parts
and transfer encodings are read here, with the place of each decoded character.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from typing import NamedTuple

from onbrand.document import html, plain
from onbrand.document.blocks import Block, Extracted
from onbrand.document.embedded import EmbeddedText, join
from onbrand.document.positions import Span

_HEADER = re.compile(
    r"(?P<name>[!-9;-~]+)[ \t]*:[ \t]*(?P<value>[^\r\n]*(?:(?:\r\n|\n|\r)[ \t]+[^\r\n]*)*)"
    r"(?:\r\n|\n|\r|\Z)"
)
_ENVELOPE = re.compile(r"(?:>?From [^\r\n]*(?:\r\n|\n|\r))?")
_BREAK = re.compile(r"\r\n|\n|\r|\Z")
_PARAMETER = r"(?:^|;)\s*{}\s*=\s*(?:\"(?P<quoted>[^\"]*)\"|(?P<plain>[^\s;]+))"
_BOUNDARY = re.compile(_PARAMETER.format("boundary"), re.IGNORECASE)
_CHARSET = re.compile(_PARAMETER.format("charset"), re.IGNORECASE)
_ENCODED_WORD = re.compile(r"=\?([\w.:-]+)(?:\*[\w-]*)?\?([bBqQ])\?([^?\s]*)\?=(?:\s+(?==\?))?")
_ESCAPED = re.compile(r"=(?:(?P<hex>[0-9a-fA-F]{2})|(?P<soft>[ \t]*(?:\r\n|\n|\r|\Z)))")
_SUBJECT = re.compile(r"(?:(?:re|fwd?|aw|wg|antw|tr|sv|vs)(?:\[\d+\])?:\s*)+", re.IGNORECASE)

_QUOTED = re.compile(r"[ \t]?>")
_ATTRIBUTION = re.compile(
    r"(?:on|am|le|el|il|op|den|em)\b.{5,200}\b(?:wrote|writes|schrieb|écrit|escribió|ha scritto|"
    r"schreef|skrev|escreveu)(?:\b.{0,80})?:[ \t]*|.{3,120}\b(?:wrote|schrieb):[ \t]*",
    re.IGNORECASE,
)
_ATTRIBUTION_BEGINS = re.compile(r"(?:on|am|le|el|il|op|den|em)\b.*\d", re.IGNORECASE)
_FORWARDED = re.compile(
    r"-{2,}[ \t]*(?:original|forwarded|ursprüngliche|weitergeleitete)\b.*-{2,}[ \t]*|_{20,}[ \t]*"
    r"|begin forwarded message:[ \t]*",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"-- ?")
_MAX_PARTS = 200


class _Part(NamedTuple):
    headers: dict[str, Span]
    body: Span


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks of an e-mail: its subject, and its plain text, or its HTML without one.

    Left out are what others wrote (quoted lines and the line above them, what is forwarded), the
    signature after ``-- `` and attachments.

    Args:
        text: the message as it was sent (.eml).
        quotes: whether quoted lines are judged.
    """
    envelope = _ENVELOPE.match(text)
    whole = _read_part(text, Span(envelope.end() if envelope else 0, len(text)))
    if not whole.headers:
        return _plain(text, quotes)
    found = []
    if subject := whole.headers.get("subject"):
        found.append(_subject(text, subject))
    found += (_body(text, part, quotes) for part in _shown_parts(text, whole))
    return join(found)


def _read_part(text: str, span: Span) -> _Part:
    headers: dict[str, Span] = {}
    at = span.start
    while header := _HEADER.match(text, at, span.end):
        headers.setdefault(header["name"].lower(), Span(*header.span("value")))
        at = header.end()
    blank = _BREAK.match(text, at, span.end)
    return _Part(headers, Span(blank.end() if blank else at, span.end))


def _value(text: str, part: _Part, name: str) -> str:
    span = part.headers.get(name)
    return span.slice(text).strip() if span else ""


def _shown_parts(text: str, whole: _Part) -> list[_Part]:
    """Return the parts with the text of a message; of alternatives the plain one."""
    shown: list[_Part] = []
    waiting, read = [whole], 0
    while waiting and read < _MAX_PARTS:
        part, read = waiting.pop(), read + 1
        kind = _value(text, part, "content-type").partition(";")[0].strip().lower() or "text/plain"
        attached = _value(text, part, "content-disposition").lower().startswith("attachment")
        if kind.startswith("multipart/"):
            inside = _parts_of(text, part)
            if kind == "multipart/alternative":
                inside = _best(text, inside)
            waiting += reversed(inside)
        elif kind in ("text/plain", "text/html") and not attached:
            shown.append(part)
    return sorted(shown, key=lambda part: part.body)


def _parts_of(text: str, part: _Part) -> list[_Part]:
    found = _BOUNDARY.search(_value(text, part, "content-type"))
    if not found or not (name := found["quoted"] or found["plain"]):
        return []
    line = re.compile(rf"--{re.escape(name)}(?P<last>--)?[ \t]*(?:\r\n|\n|\r|\Z)")
    parts, start = [], -1
    for edge in line.finditer(text, part.body.start, part.body.end):
        if edge.start() and text[edge.start() - 1] not in "\r\n":
            continue
        if start >= 0:
            parts.append(_read_part(text, Span(start, edge.start())))
        start = edge.end()
        if edge["last"]:
            return parts
    if start >= 0:
        parts.append(_read_part(text, Span(start, part.body.end)))
    return parts


def _best(text: str, parts: list[_Part]) -> list[_Part]:
    kinds = [_value(text, part, "content-type").partition(";")[0].strip().lower() for part in parts]
    plain_ones = [
        part for part, kind in zip(parts, kinds, strict=True) if kind in ("", "text/plain")
    ]
    return plain_ones[:1] or parts[-1:]


# --- decoding ---------------------------------------------------------------------------------


def _subject(text: str, span: Span) -> Extracted:
    subject = EmbeddedText(text)
    reply = _SUBJECT.match(text, *span)
    at = reply.end() if reply else span.start
    for word in _ENCODED_WORD.finditer(text, at, span.end):
        subject.copy(at, word.start())
        at = word.end()
        subject.add(_decode_word(word[1], word[2], word[3]), word.start(), at)
    subject.copy(at, span.end)
    found = subject.read(lambda value, _: plain.extract(value, wrapped=False), quotes=False)
    headings = [Block("heading", one.text, one.offsets, one.links) for one in found.blocks]
    return Extracted(headings, [])


def _decode_word(charset: str, encoding: str, word: str) -> str:
    try:
        raw = (
            base64.b64decode(word + "===")
            if encoding in "bB"
            else quopri.decodestring(word.encode(), header=True)
        )
        return raw.decode(charset, "replace")
    except (binascii.Error, LookupError, ValueError):
        return "\ufffc"


def _body(text: str, part: _Part, quotes: bool) -> Extracted:
    encoding = _value(text, part, "content-transfer-encoding").lower()
    kind = _value(text, part, "content-type")
    charset = _CHARSET.search(kind)
    name = (charset["quoted"] or charset["plain"]) if charset else "utf-8"
    body = EmbeddedText(text)
    if encoding == "base64":
        _add_bytes(body, _base64_bytes(text, part.body), name)
    elif encoding == "quoted-printable":
        _add_quoted_printable(body, part.body, name)
    else:
        body.copy(*part.body)
    if not body.text:
        return Extracted([], [])
    return body.read(html.extract if kind.lower().startswith("text/html") else _plain, quotes)


def _decoder(charset: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(charset)("replace")
    except (LookupError, AttributeError, ValueError):
        return codecs.getincrementaldecoder("utf-8")("replace")


def _add_bytes(body: EmbeddedText, encoded: list[tuple[int, int, int]], charset: str) -> None:
    """Add the characters of bytes, each with the source that it was read from."""
    decoder = _decoder(charset)
    begins = -1
    end = 0
    for byte, start, stop in encoded:
        begins = start if begins < 0 else begins
        end = stop
        try:
            decoded = decoder.decode(bytes([byte]))
        except (UnicodeError, ValueError):
            decoded = "\ufffd"
        if decoded:
            body.add(decoded, begins, end)
            begins = -1
    if begins >= 0:
        body.add("\ufffd", begins, end)


def _base64_bytes(text: str, span: Span) -> list[tuple[int, int, int]]:
    """Return each byte and the offsets of the characters that it was decoded from."""
    places = [
        at for at in range(*span) if text[at].isascii() and (text[at].isalnum() or text[at] in "+/")
    ]
    size = len(places) // 4 * 4
    rest = len(places) - size
    signs = "".join(text[at] for at in places)
    signs = signs[:size] if rest == 1 else signs + "=" * (-len(places) % 4)
    raw = base64.b64decode(signs) if signs else b""
    starts = [places[8 * index // 6] for index in range(len(raw))]
    ends = [*starts[1:], places[-1] + 1] if raw else []
    return list(zip(raw, starts, ends, strict=True))


def _add_quoted_printable(body: EmbeddedText, span: Span, charset: str) -> None:
    at = span.start
    pending: list[tuple[int, int, int]] = []
    for found in _ESCAPED.finditer(body.source, *span):
        if found.start() > at and pending:
            _add_bytes(body, pending, charset)
            pending = []
        body.copy(at, found.start())
        at = found.end()
        if found["hex"]:
            pending.append((int(found["hex"], 16), found.start(), at))
    _add_bytes(body, pending, charset)
    body.copy(at, span.end)


# --- what the sender wrote --------------------------------------------------------------------


def _plain(text: str, quotes: bool) -> Extracted:
    """Return the blocks of plain text, without what others wrote and the signature."""
    kept: list[str] = []
    left_out = 0
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    for index, line in enumerate(lines):
        bare = line.rstrip("\r\n")
        if _SIGNATURE.fullmatch(bare) or (not quotes and _FORWARDED.fullmatch(bare)):
            rest = "".join(lines[index:])
            left_out += len(rest)
            kept.append(re.sub(r"[^\r\n]", " ", rest))
            break
        if not quotes and (_QUOTED.match(bare) or _is_attribution(lines, index)):
            left_out += len(bare)
            line = " " * len(bare) + line[len(bare) :]
        kept.append(line)
    found = plain.extract("".join(kept))
    return found._replace(skipped={**found.skipped, "quotes": left_out} if left_out else {})


def _is_attribution(lines: list[str], index: int) -> bool:
    """Tell "On Monday, Ann wrote:", on one line or two, above what it says that Ann wrote."""
    line = lines[index].rstrip("\r\n")
    following = next((one for one in lines[index + 1 : index + 3] if one.strip()), "")
    if len(line) > 300:
        return False
    if _ATTRIBUTION.fullmatch(line):
        return bool(_QUOTED.match(following))
    if not _ATTRIBUTION_BEGINS.match(line) or len(following) > 300:
        return False
    return _ATTRIBUTION.fullmatch(f"{line} {following.rstrip()}") is not None
