"""Reading a file over HTTP from any byte on: encrypted, and not from hosts that never answer.

The standard library's client, because a server must not put a time limit off. The timeout of a
socket begins anew with every byte that comes, so a byte every few seconds would hold a laptop for
days. Here the time counts from the beginning of a stretch: before each address of a host, the
tunnel of a proxy, the handshake and every byte of the headers and of the body, the socket is told
how much of the time is left. Only looking up a host's name has no limit but the system's.
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
"""Seconds of silence after which a host is given up."""
PATIENCE = 60.0
"""Seconds for an answer to begin, and then for every `MIN_BYTES` bytes of it."""
MIN_BYTES = 64 * 1024


class Interrupted(Exception):  # noqa: N818 - it is a reason to try again, not yet an error
    """The connection failed in a way that another try may mend.

    Args:
        why: a few words for people.
        after: seconds after which the server wants to be asked again, if it says so.
    """

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class Deadline:
    """The end of a stretch of waiting: `PATIENCE` from now on, and anew with `MIN_BYTES` bytes.

    Args:
        late: what to say when it has passed.
    """

    def __init__(self, late: str) -> None:
        self._late = late
        self._begin()

    def _begin(self) -> None:
        self._end = monotonic() + PATIENCE
        self._came = 0

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return monotonic() >= self._end

    def left(self) -> float:
        """Return for how many seconds to wait in silence, more than 0.

        Raises:
            Interrupted: the deadline has passed.
        """
        left = self._end - monotonic()
        if left <= 0:  # not `passed`, which would look at the clock a second time
            raise Interrupted(self._late)
        return min(left, TIMEOUT)

    def count(self, came: int) -> None:
        """Count bytes of what was waited for; enough of them begin a new stretch."""
        self._came += came
        if self._came >= MIN_BYTES:
            self._begin()


def reason(error: object) -> str:
    """Return why something failed, without addresses that may hold passwords."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = getattr(error, "strerror", None)
    return said if isinstance(said, str) and said else type(error).__name__


class Response(HTTPResponse):
    """An answer that is read within a deadline, which may be replaced when the body begins."""

    def __init__(
        self,
        deadline: Deadline,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()  # that of the library, which waits for each byte anew
        self._timed = _Timed(sock, deadline)
        self.fp = io.BufferedReader(self._timed)

    def keep_to(self, deadline: Deadline) -> None:
        """Read on within another deadline."""
        self._timed.deadline = deadline


def send(request: Request, deadline: Deadline) -> Response:
    """Return the answer to a request, whatever its status, when its headers are here.

    Raises:
        Interrupted: the deadline has passed.
        OSError: no connection.
        http.client.HTTPException: what comes is not HTTP.
        ValueError: the URL cannot be asked.
    """
    handlers = (_Plain(deadline), _Encrypted(deadline), _AsItIs)
    answer = build_opener(*handlers).open(request, timeout=deadline.left())
    assert isinstance(answer, Response)  # noqa: S101 - the caller asks HTTP and HTTPS alone
    return answer


class _Timed(io.RawIOBase):
    """What comes from a socket."""

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
            self.deadline.left()  # it has words of its own when it has passed
            raise Interrupted(reason(error)) from None

    def close(self) -> None:
        self._raw.close()
        super().close()


class _AsItIs(HTTPErrorProcessor):
    """The library's redirects would carry passwords along and read bodies of any length."""

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
    """Connect to the first address of a host that answers; each has its share of the time."""
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
    """Return how long ``Retry-After`` asks to wait: it gives seconds, or a date."""
    if later.isascii() and later.isdigit():
        return float(later)
    try:
        date = parsedate_tz(later)
        return mktime_tz(date) - time.time() if date else None
    except (ValueError, OverflowError):  # no date of this world
        return None
