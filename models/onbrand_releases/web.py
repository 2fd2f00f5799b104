"""Reading a file over HTTP from any byte on: encrypted, and not from hosts that never answer.

The standard library's client, because the download must stay in our hands: bodies are read in
pieces and no further than was promised, redirects cannot leave encryption, passwords cannot leave
their host, and the system's proxies are honoured.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import netrc
import ssl
import time
from collections.abc import Iterator
from email.utils import mktime_tz, parsedate_tz
from http.client import HTTPException, InvalidURL, responses
from urllib.error import URLError
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import Request

from onbrand import __version__
from onbrand.errors import OnbrandError
from onbrand.installation import without_secrets
from onbrand_releases.connection import Response, send
from onbrand_releases.deadline import Deadline, Interrupted, reason

_MOVED = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 6
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be better a little later."""
_GONE = frozenset({404, 410})
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
_ALLOWED = "%/:=&?~#+!$,;'@()*[]"
"""Characters that stay in a path as they are: what was quoted already is not quoted again."""


class NotThereError(OnbrandError):
    """There is no such file."""


class Body:
    """The body of an answer, as it comes."""

    def __init__(self, response: Response, start: int) -> None:
        self._response = response
        self._promised = response.length  # None where the server does not say
        self._start, self._came = start, 0
        self._deadline = Deadline("it comes too slowly")
        response.keep_to(self._deadline)
        self.compressed = response.headers.get("Content-Encoding", "").lower() in _COMPRESSED
        """Whether the server says that it does not send the file as it is."""

    def read(self, most: int) -> bytes:
        """Return what has come, at least a byte; nothing at the end.

        Raises:
            Interrupted: the body ended before it was whole, or comes too slowly.
        """
        if self._promised is not None:
            # The response does not count what is read like this, not in every Python.
            most = min(most, self._promised - self._came)
        piece = self._response.read1(most) if most else b""
        if most and not piece and self._promised is not None:
            here, whole = self._start + self._came, self._start + self._promised
            raise Interrupted(f"it was cut after {here} of {whole} bytes")
        self._came += len(piece)
        self._deadline.count(len(piece))
        return piece


@contextlib.contextmanager
def open_web(url: str, start: int = 0) -> Iterator[tuple[Body, int]]:
    """Open what ``url`` gives from byte ``start`` on.

    Yields:
        The body to read from, and the byte that it starts at: 0 where the server knows no ranges.

    Raises:
        Interrupted: no connection, no answer in time, or one that may be better a little later.
        NotThereError: there is no such file.
        OnbrandError: it is refused, or not encrypted.
    """
    deadline = Deadline("no answer in time")  # one for all redirects
    response = _ask(url, start, deadline)
    with response:
        if not start or _starts_at(response, start):
            yield Body(response, start), start
            return
        if response.status != 206:
            yield Body(response, 0), 0
            return
    with _ask(url, 0, deadline) as response:
        yield Body(response, 0), 0


def _starts_at(response: Response, start: int) -> bool:
    said = response.headers.get("Content-Range", "")
    return response.status == 206 and said.startswith(f"bytes {start}-")


def _ask(url: str, start: int, deadline: Deadline) -> Response:
    shown = without_secrets(url)
    for _ in range(_MAX_REDIRECTS):
        with _failures_told(shown):
            response = send(_request(url, start), deadline)
            if response.status in range(200, 300):
                return response
            response.close()
            location = response.headers.get("Location")
            if response.status in _MOVED and location:
                url = _moved(url, location)
            elif response.status == 416 and start:  # the file is shorter than what is already here
                start = 0
            else:
                raise _refusal(response, shown)
    raise OnbrandError("is redirected too often; check the URL", path=shown)


@contextlib.contextmanager
def _failures_told(shown: str) -> Iterator[None]:
    try:
        yield
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            why = error.reason.verify_message
            raise OnbrandError(f"its certificate is not to be trusted: {why}", path=shown) from None
        raise Interrupted(reason(error.reason)) from None
    except (ValueError, InvalidURL) as error:
        raise OnbrandError(f"is no URL that can be asked: {error}", path=shown) from None
    except (OSError, HTTPException) as error:
        raise Interrupted(reason(error)) from None


def _moved(url: str, location: str) -> str:
    """Return where a redirect goes; the password stays with its host."""
    # Headers come as if they were Latin-1; quoted as that, their bytes are those that were sent.
    target = urljoin(url, quote(location, safe=_ALLOWED, encoding="latin-1"))
    old, new = urlsplit(url), urlsplit(target)
    if (old.scheme, old.netloc.rpartition("@")[2]) == (new.scheme, new.netloc):
        new = new._replace(netloc=old.netloc)
    return urlunsplit(new)


def _request(url: str, start: int) -> Request:
    parts = _encrypted(url)
    plain = urlunsplit(
        (
            parts.scheme,
            _host(parts),
            quote(parts.path, safe=_ALLOWED),
            quote(parts.query, safe=_ALLOWED),
            "",
        )
    )
    request = Request(plain)  # noqa: S310 - the scheme is checked
    request.add_header("User-Agent", f"onbrand/{__version__}")
    request.add_header("Accept-Encoding", "identity")
    request.add_header("Cache-Control", "no-cache")
    if start:
        request.add_header("Range", f"bytes={start}-")
    login = _login(parts)
    if login is not None:
        encoded = base64.b64encode(":".join(login).encode()).decode()
        request.add_header("Authorization", f"Basic {encoded}")
    return request


def _host(parts: SplitResult) -> str:
    """Return host and port as they are asked for, without a password."""
    try:
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:  # whose text may hold a password with an odd letter
        raise ValueError("its port must be a number up to 65535") from None
    host = parts.netloc.rpartition("@")[2]
    if host.isascii():
        return host
    try:
        return (parts.hostname or "").encode("idna").decode() + port
    except UnicodeError:
        raise ValueError("no host can have this name") from None


def _login(parts: SplitResult) -> tuple[str, str] | None:
    if parts.username is not None:
        return unquote(parts.username), unquote(parts.password or "")
    try:
        found = netrc.netrc().authenticators(parts.hostname or "")
    except (OSError, netrc.NetrcParseError):
        return None
    return (found[0], found[2] or "") if found else None


def _encrypted(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return parts
    raise OnbrandError("is not encrypted; use https://", path=without_secrets(url))


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _refusal(response: Response, shown: str) -> Exception:
    code = response.status
    answer = f"{code} {responses.get(code, '')}".strip()
    if code in _PASSING:
        return Interrupted(answer, _seconds(response.headers.get("Retry-After", "")))
    if code in _GONE:
        return NotThereError(f"the server answers {answer}; check the URL", path=shown)
    hints = {
        401: "put user and password into ~/.netrc",
        403: "check that this computer may read it",
        407: "the proxy wants a password",
    }
    hint = hints.get(code, "check the URL")
    return OnbrandError(f"the server answers {answer}; {hint}", path=shown)


def _seconds(later: str) -> float | None:
    """Return how long ``Retry-After`` asks to wait: it gives seconds, or a date."""
    if later.isascii() and later.isdigit():
        return float(later)
    try:
        date = parsedate_tz(later)
        return mktime_tz(date) - time.time() if date else None
    except (ValueError, OverflowError):  # no date of this world
        return None
