"""Working copies of drafts, readable only with a ticket that the database does not hold.

A ticket is the id of a check and a key: ``c0123456789abcdef.KEY``. It stands in the buttons of the
answer, so whoever sees the answer can go on with the draft, and a copy of the database alone says
nothing of anybody's text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
import zlib
from dataclasses import dataclass, field

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from onbrand.errors import OnbrandError
from onbrand.report.message import printable
from onbrand.results import Report
from onbrand_slack.answer import Change
from onbrand_slack.model import MessageAt, Pasted, Source

MAX_BYTES = 64 * 1024 * 1024
"""Of a working copy before compression; some 5 MB of draft with every sentence explained."""
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TICKET = re.compile(r"(c[0-9a-f]{16})\.([\w-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Opens one check."""

    check: str
    """The check's id."""
    key: bytes = field(repr=False)

    @classmethod
    def new(cls, of: str | None = None) -> Ticket:
        """Return the ticket of a check that is to be stored.

        Args:
            of: what is checked: the same has the same id, with another key.
        """
        digest = secrets.token_hex(8) if of is None else hashlib.sha256(of.encode()).hexdigest()
        return cls(f"c{digest[:16]}", secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> Ticket | None:
        """Read a ticket; None if it is none."""
        match = _TICKET.fullmatch(text)
        if match is None:
            return None
        try:
            ticket = cls(match[1], base64.urlsafe_b64decode(match[2] + "="))
        except binascii.Error:
            return None
        # 43 characters hold two bits more than the key; one check has one ticket.
        return ticket if str(ticket) == text else None

    def __str__(self) -> str:
        """Return it as it stands in buttons; not for logs."""
        return f"{self.check}.{base64.urlsafe_b64encode(self.key).decode().rstrip('=')}"


class WorkingCopy(msgspec.Struct, frozen=True, tag="check"):
    """What is needed to go on with a check: to show, label, share, review or repeat it."""

    report: Report
    draft: Pasted
    title: str = ""
    brand_reason: str = ""
    """See `answer.Answer`."""
    change: Change | None = None
    """Against the version before."""


class HeldDraft(msgspec.Struct, frozen=True, tag="draft"):
    """A draft that waits for its author to name a brand."""

    draft: Pasted
    source: Source
    title: str = ""
    at: MessageAt | None = None


Content = WorkingCopy | HeldDraft
_decoder: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)


def seal(content: Content, ticket: Ticket, workspace: str) -> bytes:
    """Return a box that only the ticket opens, and only in the workspace.

    Lone surrogates, which neither JSON nor Slack can carry, become U+FFFD.

    Raises:
        OnbrandError: the draft is too long.
    """
    # Not msgspec's own encoder, which refuses lone surrogates where a draft has one.
    text = printable(json.dumps(msgspec.to_builtins(content), ensure_ascii=False))
    data = text.encode()
    if len(data) > MAX_BYTES:
        raise OnbrandError("the draft is too long to be checked in one piece; split it")
    nonce = secrets.token_bytes(_NONCE_BYTES)
    place = _place(ticket, workspace)
    return nonce + ChaCha20Poly1305(ticket.key).encrypt(nonce, zlib.compress(data), place)


def unseal(box: bytes, ticket: Ticket, workspace: str) -> Content | None:
    """Open a box; None where the ticket or the workspace is another, or the box is damaged."""
    nonce, sealed = box[:_NONCE_BYTES], box[_NONCE_BYTES:]
    try:
        cipher = ChaCha20Poly1305(ticket.key)
        data = cipher.decrypt(nonce, sealed, _place(ticket, workspace))
        # A box of a former version may have other fields.
        return _decoder.decode(_decompress(data))
    except (InvalidTag, ValueError, zlib.error, msgspec.MsgspecError):
        return None


def _decompress(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    text = stream.decompress(data, MAX_BYTES + 1)
    if not stream.eof:
        raise ValueError("cut off, or larger than anything that is sealed")
    return text


def _place(ticket: Ticket, workspace: str) -> bytes:
    """Return what the box is bound to, so that it opens nowhere else."""
    return f"{workspace}/{ticket.check}".encode()
