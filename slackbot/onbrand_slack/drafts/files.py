"""Uploaded files to drafts: fetched from Slack and nowhere else, and never more than is read."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

from onbrand.discovery import decode_draft, max_bytes
from onbrand.document import docx, formats
from onbrand.document.formats import InputFormat
from onbrand.document.masking import LINE_SEPARATOR
from onbrand.errors import OnbrandError
from onbrand_slack.drafts import DraftProblem
from onbrand_slack.render.text import listed_endings
from onbrand_slack.work.calls import Payload
from onbrand_slack.work.redirects import NoRedirects

TIMEOUT = 10.0
"""Seconds without a byte."""
DEADLINE = 60.0
"""Seconds for a whole file."""

_CHUNK = 64 * 1024
# A token goes to Slack's own hosts, and in no other form of URL.
_SLACK = re.compile(r"https://(?:[a-z0-9-]+\.)+slack(?:-files)?\.com/[!-~]*")
_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_DELETED = "The file was deleted in Slack; upload it again."
_NOT_HERE = (
    "The file lies outside Slack, where onbrand cannot go; download it and upload the file itself."
)
_TOO_OLD = "Slack hides the file, which is older than your plan keeps; upload it again."
_NO_FILE = (
    "This is a Slack canvas, post or list; {}. "
    "Copy its text into a message, or download it and upload that."
)
_NOT_SEEN = (
    "Slack does not show the file to onbrand; "
    "share it in a conversation that onbrand is a member of."
)
_SIGN_IN = (
    "Slack sent a sign-in page instead of the file; an admin has to reinstall onbrand, "
    "which needs the permission files:read."
)
_EMPTY = "There is no text in the file; check that it was saved, and upload it again."
_CUT = "Only a part of the file arrived from Slack; try again."
_SLOW = "Slack takes too long to send the file; try again in a minute."
_BY_MODE = {
    "tombstone": _DELETED,
    "hidden_by_limit": _TOO_OLD,
    "external": _NOT_HERE,
    **dict.fromkeys(("space", "canvas", "docs", "post", "quip", "list"), _NO_FILE),
}
_BY_STATUS = {401: _SIGN_IN, 403: _NOT_SEEN, 404: _DELETED, 410: _DELETED}


@dataclass(frozen=True, slots=True)
class FileDraft:
    """The draft in an uploaded file."""

    name: str
    text: str
    format: str = "text"


def fetch(info: Payload, token: str, api_url: str) -> FileDraft:
    """Download a file and read the draft in it.

    Args:
        info: the file object, from files.info.
        token: the workspace's bot token.
        api_url: of Slack's Web API; the token may go to its host, too.

    Raises:
        DraftProblem: there is no draft to be had; the message says what the user can do.
    """
    _check_mode(info)
    form = _format(info)
    limit = max_bytes(form)
    size = info.get("size")
    size = size if isinstance(size, int) else None
    if size is not None and size > limit:
        raise _too_big(size, limit)
    data = _download(_url(info, api_url), token, limit)
    if _PAGE.match(data) and (form.name != "html" or size not in (None, len(data))):
        raise DraftProblem(_SIGN_IN)
    if size is not None and len(data) < size:
        raise DraftProblem(_CUT)
    text, format_ = _read(data, form)
    if not text.strip():
        raise DraftProblem(_EMPTY)
    return FileDraft(_string(info, "name") or _string(info, "title"), text, format_)


def _check_mode(info: Payload) -> None:
    """Refuse what is no file of Slack's own."""
    kinds = [_string(info, key) for key in ("mode", "filetype")]
    problem = next((_BY_MODE[kind] for kind in kinds if kind in _BY_MODE), None)
    if info.get("is_external"):
        problem = problem or _NOT_HERE
    if _string(info, "file_access") in ("access_denied", "file_not_found"):
        problem = problem or _NOT_SEEN
    if problem:
        raise DraftProblem(problem.format(_kinds()))


def _format(info: Payload) -> InputFormat:
    known = formats.of_path(_string(info, "name")) or formats.of_slack_type(
        _string(info, "filetype")
    )
    if known is None:
        raise DraftProblem(f"The file is of another kind: {_kinds()}; save your draft as one.")
    return known


def _read(data: bytes, form: InputFormat) -> tuple[str, str]:
    """Return the text of a file and the name of the format that it is in."""
    try:
        if data.startswith(docx.STARTS):  # whatever it is called
            form = formats.get("docx")
        elif form.decode is None and data.startswith(_UTF16):
            return data.decode("utf-16"), form.name
        text = decode_draft(data, "", form).text
    except UnicodeDecodeError:
        raise DraftProblem("The file is not whole UTF-16; save it as UTF-8.") from None
    except OnbrandError as error:
        raise DraftProblem(f"The file {error.message}.") from None
    if form.decode is None:
        return text, form.name
    # One line for each paragraph: in a message, as in plain text, a blank line parts them.
    paragraphs = "\n\n".join(filter(None, text.split("\n")))
    return paragraphs.replace(LINE_SEPARATOR, "\n"), "text"


def _kinds() -> str:
    return f"onbrand reads {listed_endings('and')} files"


# --- download ---------------------------------------------------------------------------------


def _url(info: Payload, api_url: str) -> str:
    """Return where the file is.

    Raises:
        DraftProblem: it has no address, or one to which no token may go.
    """
    url = _string(info, "url_private_download") or _string(info, "url_private")
    if not url:
        raise DraftProblem(_NOT_SEEN)
    parts = urlsplit(api_url)
    if _SLACK.fullmatch(url) or url.startswith(f"{parts.scheme}://{parts.netloc}/"):
        return url
    raise DraftProblem(_NOT_HERE)


_OPENER = urllib.request.build_opener(NoRedirects)


def _download(url: str, token: str, limit: int) -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - see _url
    until = time.monotonic() + DEADLINE
    data = bytearray()
    try:
        with _OPENER.open(request, timeout=TIMEOUT) as response:
            while chunk := response.read1(_CHUNK):
                data += chunk
                if len(data) > limit:
                    raise _too_big(None, limit)
                if time.monotonic() > until:
                    raise DraftProblem(_SLOW)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error.code) from None
    except TimeoutError:
        raise DraftProblem(_SLOW) from None
    except http.client.IncompleteRead:
        raise DraftProblem(_CUT) from None
    except (OSError, http.client.HTTPException) as error:
        slow = isinstance(getattr(error, "reason", None), TimeoutError)
        raise DraftProblem(_SLOW if slow else _unsent("no connection")) from None
    return bytes(data)


def _refusal(status: int) -> DraftProblem:
    if 300 <= status < 400:
        return DraftProblem(_SIGN_IN)
    return DraftProblem(_BY_STATUS.get(status) or _unsent(f"HTTP {status}"))


def _unsent(reason: str) -> str:
    return f"Slack did not send the file ({reason}); try again in a minute."


def _too_big(size: int | None, limit: int) -> DraftProblem:
    figure = "more than" if size is None else f"{_mb(size)}, more than"
    return DraftProblem(
        f"The file has {figure} the {_mb(limit)} that onbrand reads; split it, or paste a part."
    )


def _mb(size: int) -> str:
    return f"{size / 1024**2:.3g} MB"


def _string(info: Payload, key: str) -> str:
    value = info.get(key)
    return value if isinstance(value, str) else ""
