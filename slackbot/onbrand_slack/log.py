"""One JSON object a line on stderr: what happened and to which ids, never what anyone wrote."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

logger = logging.getLogger("onbrand_slack")

# The names of the ids that a line may hold; `extra=` with any other is left out.
FIELDS = (
    *("workspace", "job", "kind", "lane", "attempt", "method", "error", "place"),
    *("status", "event", "replica", "count", "seconds", "address", "brand"),
)


class JsonLines(logging.Formatter):
    """Formats records as JSON.

    Of other libraries' records only the place is told: Bolt and the SDK put whole payloads into
    their messages, drafts and tokens included.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if _is_ours(record.name):
            line["message"] = record.getMessage()
            line |= {name: record.__dict__[name] for name in FIELDS if name in record.__dict__}
        else:
            line["place"] = f"{record.module}.{record.funcName}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def describe(error: BaseException) -> str:
    """Return an exception's class and where it was raised; its words may be a customer's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {code.co_qualname} ({_file(code)}:{trace.tb_lineno})"


def start_logging(level: str) -> None:
    """Send the app's records at a level, and warnings of all others, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logger.setLevel(level.upper())


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("onbrand", "onbrand_slack")


def _file(code: Any) -> str:  # noqa: ANN401 - a code object
    return str(code.co_filename).replace("\\", "/").rpartition("/")[2]
