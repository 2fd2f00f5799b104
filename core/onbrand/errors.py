"""Errors for users: one line that says what is wrong, where, and what to do."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

_MAX_REASON = 200


class OnbrandError(Exception):
    r"""An error that the user can fix: bad input, or a missing part.

    The command line prints it as ``error: PATH:LINE: MESSAGE`` and exits with 2. The message must
    say how to fix it ("… ; expected "on" or "off""), and quote no more of the customer's text than
    is needed to find the place.

    Args:
        message: what is wrong and what to do about it, one line.
        path: the file it is about, if any.
        line: the line in that file, counted from 1, if known.
    """

    def __init__(
        self, message: str, *, path: str | Path | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line

    def __str__(self) -> str:
        """Return ``path:line: message``, without what is not known."""
        place = "" if self.path is None else f"{self.path}: "
        if self.path is not None and self.line is not None:
            place = f"{self.path}:{self.line}: "
        return place + self.message


class Cancelled(Exception):  # noqa: N818 - it is a signal, not an error
    """Raised between two batches when the caller no longer wants the result."""


def missing_extra(what: str, extra: str) -> OnbrandError:
    """Return the error for a feature whose optional packages are not installed."""
    return OnbrandError(f"{what} needs an optional part: {install_command(extra)}")


def install_command(extra: str) -> str:
    """Return the command that installs an extra, from the source of the onbrand that is running.

    It never names onbrand alone: on a package index anybody may have claimed that name. pip records
    the checkout, wheel or repository that a package was installed from (PEP 610).
    """
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    if extra == "train" and getattr(sys, "frozen", False):
        return "onbrand add-training"  # the standalone build has no environment to install into
    url = _installed_from()
    if url.startswith("file:") and Path(path := url2pathname(urlsplit(url).path)).is_dir():
        return f"pip install '{path}[{extra}]'"
    return f"pip install 'onbrand[{extra}] @ {url or 'file:///PATH-OR-URL-OF-ITS-WHEEL'}'"


def _installed_from() -> str:
    """Return the URL that onbrand was installed from; an empty text where pip recorded none."""
    import json
    from importlib import metadata

    with contextlib.suppress(metadata.PackageNotFoundError, ValueError, KeyError, TypeError):
        record = json.loads(metadata.distribution("onbrand").read_text("direct_url.json") or "{}")
        commit = record.get("vcs_info", {}).get("commit_id")
        prefix = f"{record['vcs_info']['vcs']}+" if commit else ""
        return f"{prefix}{record['url']}" + (f"@{commit}" if commit else "")
    return ""


def summarize(error: BaseException) -> str:
    """Return the first line of an exception's text, with its type where the text says little."""
    text = str(error).strip()
    if isinstance(error, KeyError) or not text:
        text = f"{type(error).__name__} {text}".strip()
    return text.splitlines()[0][:_MAX_REASON]


@contextlib.contextmanager
def wrap_errors(problem: str, path: Path | str | None = None) -> Iterator[None]:
    """Turn any exception of a library in the block into an `OnbrandError` of one line.

    Args:
        problem: what does not work, say "cannot be loaded"; the library's reason follows it.
        path: the file that is at fault.

    Raises:
        OnbrandError: the block raised something. Errors of this kind, `Cancelled`, a lack of
            memory and Ctrl-C pass as they are.
    """
    try:
        yield
    except (OnbrandError, Cancelled, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic in Rust code is not an Exception
        raise OnbrandError(f"{problem} ({summarize(error)})", path=path) from error
