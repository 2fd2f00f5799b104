"""Requests and keys as the table of jobs keeps them."""

from __future__ import annotations

import hashlib
import json

import msgspec

from onbrand.labels.normalization import clean_text
from onbrand_slack.model import Request

_LONGEST_KEY = 128
_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


def encode(request: Request) -> bytes:
    """Return a request as JSON."""
    try:
        return msgspec.json.encode(request)
    except UnicodeEncodeError:
        # Half of a surrogate pair, which JSON from anyone may hold, and UTF-8 cannot.
        return json.dumps(msgspec.to_builtins(request), ensure_ascii=False).encode(errors="replace")


def decode(payload: bytes) -> Request | None:
    """Read a request, None if it is one that this version of onbrand does not know."""
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError:
        return None


def storable(key: str) -> str:
    """Return a key as databases can keep and index it, whatever Slack's was."""
    clean = clean_text(key)
    if len(clean) <= _LONGEST_KEY:
        return clean
    return hashlib.sha256(clean.encode()).hexdigest()
