"""Whether the editor still lives: a pipe stays open when some child of it has inherited an end."""

from __future__ import annotations

import os
import sys

INTERVAL = 3.0
"""Seconds between two looks."""


def is_alive(pid: int) -> bool:
    """Return whether a process exists; True where that cannot be told."""
    if pid <= 0:
        return True
    if sys.platform == "win32":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


if sys.platform == "win32":

    def _is_alive_on_windows(pid: int) -> bool:
        import ctypes

        synchronize, timed_out, no_such_process = 0x00100000, 0x102, 87
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(synchronize, False, pid)
        if not handle:
            return ctypes.get_last_error() != no_such_process
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == timed_out)
        finally:
            kernel.CloseHandle(handle)
