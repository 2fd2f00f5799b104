"""Training voices from labelled lines (extra `train`) and judging how good they are."""
