"""Telling in one line what a library says in many: the engine's helpers, by older names."""

from onbrand.errors import summarize as reason_of
from onbrand.errors import wrap_errors as in_one_line

__all__ = ["in_one_line", "reason_of"]
