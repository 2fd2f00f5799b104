"""How the budget of underlined sentences is split."""

from __future__ import annotations

DEFAULT_ALARM_BUDGET = 0.05
"""Share of on-brand sentences that may be underlined."""
HIGHEST_THRESHOLD = 0.35
"""A sentence is underlined only when it is clearly more likely off-brand than on-brand."""
HEAD_SHARE, REGISTER_SHARE = 0.1, 0.4
"""What the head and the registers may use of the budget of underlined sentences. The rest is room:
drafts hold headings and lists, which lines of a label file are not."""
