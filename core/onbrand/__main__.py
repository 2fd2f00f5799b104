"""``python -m onbrand``."""

from __future__ import annotations

from onbrand_cli import main

if __name__ == "__main__":
    main()
