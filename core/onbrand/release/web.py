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
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse, responses
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from onbrand import __version__
from onbrand.errors import OnbrandError
from onbrand.release.installed import without_secrets

TIMEOUT = 30.0
"""Seconds of silence after which a host is given up."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 6
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be better a little later."""


class Interrupted(Exception):  # noqa: N818 - it is a reason to try again, not yet an error
    """The connection failed in a way that another try may mend."""


class Body:
    """The body of an answer, as it comes."""

    def __init__(self, response: HTTPResponse) -> None:
        self._response = response
        self._left = response.length  # None where the server does not say

    def read(self, most: int) -> bytes:
        """Return what has come, at least a byte; nothing at the end.

        Raises:
            Interrupted: the body ended before it was whole.
        """
        if self._left is None:
            return self._response.read1(most)
        if not self._left:
            return b""
        # The response does not count what is read like this, not in every Python.
        piece = self._response.read1(min(most, self._left))
        if not piece:
            raise Interrupted("the connection was cut")
        self._left -= len(piece)
        return piece


@contextlib.contextmanager
def open_web(url: str, start: int = 0) -> Iterator[tuple[Body, int]]:
    """Open what ``url`` gives from byte ``start`` on.

    Yields:
        The body to read from, and the byte that it starts at: 0 where the server knows no ranges.

    Raises:
        Interrupted: no connection, or an answer that may be better a little later.
        OnbrandError: it is refused, not there, or not encrypted.
    """
    response = _ask(url, start)
    with response:
        if not start or _starts_at(response, start):
            yield Body(response), start
            return
        if response.status != 206:
            yield Body(response), 0
            return
    with _ask(url, 0) as response:
        yield Body(response), 0


def _starts_at(response: HTTPResponse, start: int) -> bool:
    said = response.headers.get("Content-Range", "")
    return response.status == 206 and said.startswith(f"bytes {start}-")


def _ask(url: str, start: int) -> HTTPResponse:
    shown = without_secrets(url)
    for _ in range(_MAX_REDIRECTS):
        try:
            return _open(_request(url, start))
        except HTTPError as error:
            error.close()
            location = error.headers.get("Location")
            if error.code in _MOVED and location:
                url = _moved(url, location)
            elif error.code == 416 and start:  # the file is shorter than what is already here
                start = 0
            else:
                raise _refusal(error.code, shown) from None
        except URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                why = error.reason.verify_message
                raise OnbrandError(
                    f"its certificate is not to be trusted: {why}", path=shown
                ) from None
            raise Interrupted(reason(error.reason)) from None
        except ValueError as error:
            raise OnbrandError(f"is no URL that can be asked: {error}", path=shown) from None
        except (OSError, HTTPException) as error:
            raise Interrupted(reason(error)) from None
    raise OnbrandError("is redirected too often; check the URL", path=shown)


def _moved(url: str, location: str) -> str:
    """Return where a redirect goes; the password stays with its host."""
    old, new = urlsplit(url), urlsplit(urljoin(url, location))
    if (old.scheme, old.netloc.rpartition("@")[2]) == (new.scheme, new.netloc):
        new = new._replace(netloc=old.netloc)
    return urlunsplit(new)


class _NoRedirects(HTTPRedirectHandler):
    """The library's own redirects would carry the password along and read bodies of any length."""

    def redirect_request(self, *_: object) -> None:
        return None


def _open(request: Request) -> HTTPResponse:
    answer = build_opener(_NoRedirects).open(request, timeout=TIMEOUT)
    assert isinstance(answer, HTTPResponse)  # noqa: S101 - nothing but HTTP passes `_encrypted`
    return answer


def _request(url: str, start: int) -> Request:
    parts = _encrypted(url)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
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


def _refusal(code: int, shown: str) -> Exception:
    answer = f"{code} {responses.get(code, '')}".strip()
    if code in _PASSING:
        return Interrupted(answer)
    hints = {
        401: "put user and password into ~/.netrc",
        403: "check that this computer may read it",
        407: "the proxy wants a password",
    }
    hint = hints.get(code, "check the URL")
    return OnbrandError(f"the server answers {answer}; {hint}", path=shown)


def reason(error: object) -> str:
    """Return why something failed, without addresses that may hold passwords."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = getattr(error, "strerror", None)
    return said if isinstance(said, str) and said else type(error).__name__
