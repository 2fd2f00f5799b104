"""Sealed working copies: who opens them, and what becomes of everybody else."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from onbrand.errors import OnbrandError
from onbrand.results import Report
from onbrand_slack.model import Pasted
from onbrand_slack.store import sealing
from onbrand_slack.store.sealing import Ticket, WorkingCopy, seal, unseal

COPY = WorkingCopy(Report("a.md", "acme", 0.4, "review", 0.5), Pasted("Oats. " * 50), "a.md")


def forged(data: bytes, ticket: Ticket) -> bytes:
    """A box around anything, by someone who has the ticket."""
    cipher = ChaCha20Poly1305(ticket.key)
    return bytes(12) + cipher.encrypt(bytes(12), data, f"T1/{ticket.check}".encode())


def test_a_ticket_reads_back_and_fits_into_a_block_id() -> None:
    ticket = Ticket.new()
    assert Ticket.parse(str(ticket)) == ticket
    assert len(str(ticket)) == 61
    assert len({str(Ticket.new()) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c0",
        "c0123456789abcdef",
        "C0123456789ABCDEF." + "A" * 43,
        "c0123456789abcdef." + "A" * 42,
        "c0123456789abcdef." + "A" * 42 + "é",
        "c0123456789abcdef." + "A" * 43 + "\n",
        # The same key once more: its last character holds two bits that mean nothing.
        "c0123456789abcdef." + "A" * 42 + "B",
    ],
)
def test_what_is_no_ticket(text: str) -> None:
    assert Ticket.parse(text) is None


def test_the_key_is_not_shown() -> None:
    ticket = Ticket.new()
    assert ticket.check in repr(ticket)
    assert repr(ticket.key) not in repr(ticket)


def test_only_its_ticket_opens_a_box_and_only_in_its_workspace() -> None:
    ticket = Ticket.new()
    box = seal(COPY, ticket, "T1")
    assert unseal(box, ticket, "T1") == COPY
    assert unseal(box, ticket, "T2") is None
    assert unseal(box, Ticket(ticket.check, Ticket.new().key), "T1") is None
    assert unseal(box, Ticket(Ticket.new().check, ticket.key), "T1") is None


def test_a_box_does_not_show_the_text_and_looks_different_each_time() -> None:
    ticket = Ticket.new()
    box = seal(COPY, ticket, "T1")
    assert b"Oats" not in box
    with pytest.raises(zlib.error):
        zlib.decompress(box[12:])
    assert box != seal(COPY, ticket, "T1")


def test_a_damaged_box() -> None:
    ticket = Ticket.new()
    box = seal(COPY, ticket, "T1")
    for end in range(len(box)):
        assert unseal(box[:end], ticket, "T1") is None
    for at in range(len(box)):
        changed = box[:at] + bytes([box[at] ^ 1]) + box[at + 1 :]
        assert unseal(changed, ticket, "T1") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        zlib.compress(b"{}"),
        zlib.compress(b"{"),
        zlib.compress(b"\xff"),
        zlib.compress(b'{"report": 1, "draft": {}}'),
        zlib.compress(b"{}" * 99)[:-5],
    ],
)
def test_a_box_of_something_else(data: bytes) -> None:
    ticket = Ticket.new()
    assert unseal(forged(data, ticket), ticket, "T1") is None


def test_a_box_that_would_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MAX_BYTES", 1000)
    ticket = Ticket.new()
    fits = WorkingCopy(COPY.report, Pasted("x" * 700))
    assert unseal(seal(fits, ticket, "T1"), ticket, "T1") == fits
    with pytest.raises(OnbrandError, match="too long to be checked in one piece; split it"):
        seal(WorkingCopy(COPY.report, Pasted("x" * 1000)), ticket, "T1")
    good = msgspec.json.encode(fits)
    assert unseal(forged(zlib.compress(good), ticket), ticket, "T1") == fits
    bomb = zlib.compress(good + b" " * 10_000)
    assert unseal(forged(bomb, ticket), ticket, "T1") is None
