"""Prints what an encoder takes of memory: ``python -m onbrand_models.bench.worker BUNDLE``.

A process of its own, because memory that others of the process have left behind counts too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from onbrand.encoder import Encoder
from onbrand_models.validation import parity_sentences


class Usage(msgspec.Struct, frozen=True):
    """What the process prints."""

    memory: int | None


def resident_bytes() -> int | None:
    """Return what this process holds of the machine's memory; None where nothing tells."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        return None
    import resource

    # The peak: macOS gives it in bytes, the others in KiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Load the bundle that the command line names, use it, print the memory as JSON."""
    encoder = Encoder.load(Path(sys.argv[1]), cache_size=0)
    encoder.encode(parity_sentences())
    print(msgspec.json.encode(Usage(resident_bytes())).decode())  # noqa: T201


if __name__ == "__main__":
    main()
