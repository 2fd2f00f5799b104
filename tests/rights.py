"""Acting as a user without special rights, also where the tests run as root."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_VERSION_3 = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


@contextmanager
def no_special_rights() -> Iterator[None]:
    """Let the rights of files hold for root too, in this thread.

    Root stays the owner of its files, so that the checkout can be read wherever it lies. What an
    owner may do it still may; what the mode of a file forbids it may not.
    """
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root may do everything here; run the tests as another user")
    libc = ctypes.CDLL(None, use_errno=True)
    # The effective, permitted and inheritable capabilities 0 to 31, then those from 32: capget(2).
    header, before = _Header(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(ctypes.byref(header), before) == 0, os.strerror(ctypes.get_errno())
    without = (ctypes.c_uint32 * 6)(*before)
    without[0] &= ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    assert libc.capset(ctypes.byref(header), without) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        assert libc.capset(ctypes.byref(header), before) == 0, os.strerror(ctypes.get_errno())
