"""Drafts: from what people type, paste, forward and upload in Slack to text that can be judged."""

from __future__ import annotations

from onbrand.errors import OnbrandError


class DraftProblem(OnbrandError):  # noqa: N818 - users read it, it is no error of theirs
    """Why there is no draft to judge, in a line for the user who sent it."""
