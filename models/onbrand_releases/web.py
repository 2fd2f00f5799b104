"""Reads a file over HTTPS from any byte on, with deadlines that a slow server cannot put off.

The timeout of a socket starts again with every byte, so a byte every few seconds would keep a
laptop waiting for days. Here a deadline covers many reads: before each address of a host, the
tunnel of a proxy, the handshake and every read of headers and body, the socket gets the time that
is left. Only looking up a host's name has no limit but the system's. It is built on the standard
library's client, whose sockets can be replaced.
"""

from __future__ import annotations

import base64
import contextlib
import io
import ipaddress
import netrc
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from email.utils import mktime_tz, parsedate_tz
from functools import partial
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    InvalidURL,
    responses,
)
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import HTTPErrorProcessor, HTTPHandler, HTTPSHandler, Request, build_opener

from onbrand import __version__
from onbrand.errors import OnbrandError
from onbrand.installation import redact_url

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


TIMEOUT = 30.0
"""Seconds without a byte after which a connection is given up."""
PATIENCE = 60.0
"""Seconds for the headers of an answer, and then for every `MIN_BYTES` bytes of its body."""
MIN_BYTES = 64 * 1024


class Interrupted(Exception):  # noqa: N818 - it is a reason to try again, not yet an error
    """The connection failed, and another attempt may succeed.

    Args:
        why: a few words for people.
        after: seconds after which the server asks for a retry, if it does.
    """

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class Deadline:
    """A deadline in `PATIENCE` seconds, which starts again after every `MIN_BYTES` bytes.

    Args:
        late: message when it has passed.
    """

    def __init__(self, late: str) -> None:
        self._late = late
        self._begin()

    def _begin(self) -> None:
        self._end = monotonic() + PATIENCE
        self._came = 0

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return monotonic() >= self._end

    def left(self) -> float:
        """Return the timeout in seconds for the next read, more than 0.

        Raises:
            Interrupted: the deadline has passed.
        """
        left = self._end - monotonic()
        if left <= 0:  # not `passed`, which would read the clock a second time
            raise Interrupted(self._late)
        return min(left, TIMEOUT)

    def count(self, came: int) -> None:
        """Count received bytes; enough of them start the deadline again."""
        self._came += came
        if self._came >= MIN_BYTES:
            self._begin()


def reason(error: object) -> str:
    """Return the reason of an error without URLs, which may hold passwords."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = getattr(error, "strerror", None)
    return said if isinstance(said, str) and said else type(error).__name__


class Response(HTTPResponse):
    """An answer that is read within a deadline, which may be replaced for the body."""

    def __init__(
        self,
        deadline: Deadline,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()  # the library's, whose timeout starts again with each byte
        self._timed = _Timed(sock, deadline)
        self.fp = io.BufferedReader(self._timed)

    def keep_to(self, deadline: Deadline) -> None:
        """Set the deadline of further reads."""
        self._timed.deadline = deadline


def send(request: Request, deadline: Deadline) -> Response:
    """Send a request and return the answer, of any status, when its headers have arrived.

    Raises:
        Interrupted: the deadline has passed.
        OSError: no connection.
        http.client.HTTPException: the answer is not HTTP.
        ValueError: the URL is invalid.
    """
    handlers = (_Plain(deadline), _Encrypted(deadline), _AsItIs)
    answer = build_opener(*handlers).open(request, timeout=deadline.left())
    assert isinstance(answer, Response)  # noqa: S101 - the caller asks HTTP and HTTPS alone
    return answer


class _Timed(io.RawIOBase):
    """Reads from a socket within a deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self.deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(self.deadline.left())
        try:
            return self._raw.readinto(buffer)
        except TimeoutError as error:
            self.deadline.left()  # raises its own message if it has passed
            raise Interrupted(reason(error)) from None

    def close(self) -> None:
        self._raw.close()
        super().close()


class _AsItIs(HTTPErrorProcessor):
    """No automatic redirects: they would pass passwords on and read bodies of any length."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:  # noqa: ARG002
        return response

    https_response = http_response


class _Plain(HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_build(HTTPConnection, self._deadline), request)


class _Encrypted(HTTPSHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_build(HTTPSConnection, self._deadline), request)


def _build(kind: type[HTTPConnection], deadline: Deadline) -> Callable[..., Any]:
    def build(host: str, timeout: float) -> Any:  # noqa: ANN401 - it is the library's kind
        connection: Any = kind(host, timeout=timeout)
        connection.response_class = partial(Response, deadline)
        connection._create_connection = partial(_connect, deadline)
        return connection

    return build


def _connect(deadline: Deadline, address: tuple[str, int], *_: object) -> socket.socket:
    """Connect to the first address of a host that answers; each gets its share of the time."""
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    failed: OSError | None = None
    for tried, (family, kind, protocol, _name, place) in enumerate(found):
        try:
            with contextlib.ExitStack() as opened:
                sock = opened.enter_context(socket.socket(family, kind, protocol))
                sock.settimeout(deadline.left() / (len(found) - tried))
                sock.connect(place)
                sock.settimeout(deadline.left())
                opened.pop_all()
                return sock
        except OSError as error:
            failed = error
    raise failed or OSError("the host has no address")


_MOVED = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 6
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of answers that may change a little later."""
_GONE = frozenset({404, 410})
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
_ALLOWED = "%/:=&?~#+!$,;'@()*[]"
"""Characters that are not quoted in a path; ``%`` is one, so nothing is quoted twice."""


class NotThereError(OnbrandError):
    """There is no such file."""


class Body:
    """The body of an answer, read as it arrives."""

    def __init__(self, response: Response, start: int) -> None:
        self._response = response
        self._promised = response.length  # None where the server does not say
        self._start, self._came = start, 0
        self._deadline = Deadline("it comes too slowly")
        response.keep_to(self._deadline)
        self.compressed = response.headers.get("Content-Encoding", "").lower() in _COMPRESSED
        """Whether the server says that it compresses the file."""

    def read(self, most: int) -> bytes:
        """Return the bytes that have arrived, at least one; none at the end.

        Raises:
            Interrupted: the body ended too early, or comes too slowly.
        """
        if self._promised is not None:
            # Not every version of Python counts the bytes that are read like this.
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
    """Open a URL from byte ``start`` on.

    Yields:
        The body, and the byte at which it starts: 0 if the server does not support ranges.

    Raises:
        Interrupted: no connection, no answer in time, or a status that may change soon.
        NotThereError: there is no such file.
        OnbrandError: the server refuses, or the URL is not encrypted.
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
    shown = redact_url(url)
    for _ in range(_MAX_REDIRECTS):
        with _failures_told(shown):
            response = send(_request(url, start), deadline)
            if response.status in range(200, 300):
                return response
            response.close()
            location = response.headers.get("Location")
            if response.status in _MOVED and location:
                url = _moved(url, location)
            elif response.status == 416 and start:  # the file is shorter than what was fetched
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
    """Return the URL of a redirect; the password is kept for the same host only."""
    # Headers are decoded as Latin-1; quoting them as such restores the bytes that were sent.
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
    """Return host and port of a URL, without user and password."""
    try:
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:  # its message may hold a part of a password
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
    raise OnbrandError("is not encrypted; use https://", path=redact_url(url))


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
    """Return the seconds that a ``Retry-After`` header asks to wait; it holds seconds or a date."""
    if later.isascii() and later.isdigit():
        return float(later)
    try:
        date = parsedate_tz(later)
        return mktime_tz(date) - time.time() if date else None
    except (ValueError, OverflowError):  # not a valid date
        return None
