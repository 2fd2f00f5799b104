"""Prints the memory that an encoder uses: ``python -m onbrand_models.bench.worker BUNDLE``.

A process of its own, so that memory which other encoders have left allocated does not count.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from onbrand.encoder import Encoder
from onbrand_models.validation import parity_sentences


class Usage(msgspec.Struct, frozen=True):
    """Output of the process."""

    memory: int | None


def resident_bytes() -> int | None:
    """Return the resident memory of this process in bytes; None if the system does not tell."""
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
    """Load the bundle named on the command line, use it, and print the memory as JSON."""
    encoder = Encoder.load(Path(sys.argv[1]), cache_size=0)
    encoder.encode(parity_sentences())
    print(msgspec.json.encode(Usage(resident_bytes())).decode())  # noqa: T201


if __name__ == "__main__":
    main()
