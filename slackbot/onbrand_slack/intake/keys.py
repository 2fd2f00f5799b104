"""Names of requests: Slack delivers events up to four times, and each is to run once."""

from __future__ import annotations

import hashlib

from onbrand_slack.intake.payloads import FunctionExecuted, Said
from onbrand_slack.intake.reading import Incoming


def key_of(incoming: Incoming, signature: str | None) -> str:
    """Return what tells a request from all others of its workspace, in every delivery the same.

    Args:
        incoming: the request.
        signature: Slack's, over HTTP; it differs between two commands of the same words, for it
            covers the time and the trigger id. Socket Mode has none.
    """
    payload = incoming.payload
    if isinstance(payload, Said):
        # A message may arrive as a mention and as a direct message, under two event ids.
        return f"msg:{payload.channel}:{payload.ts}"
    if isinstance(payload, FunctionExecuted):
        return f"step:{payload.function_execution_id}"
    if incoming.envelope is not None:
        return f"event:{incoming.envelope.event_id}"
    if signature is None:
        return f"body:{incoming.digest}"
    return f"sent:{hashlib.sha256(signature.encode()).hexdigest()}"
