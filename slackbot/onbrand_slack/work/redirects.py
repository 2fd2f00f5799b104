"""What carries a token or an answer goes where it was sent, and nowhere else."""

from __future__ import annotations

from urllib.request import HTTPRedirectHandler


class NoRedirects(HTTPRedirectHandler):
    """Turns a redirect into an `HTTPError`: it leads to a sign-in page, or to somebody else."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""
