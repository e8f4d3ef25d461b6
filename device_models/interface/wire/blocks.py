"""Vectors as base64 of little-endian integers: three bytes a position (four characters, never a pad), two a difference."""

from base64 import b64encode
from binascii import Error, a2b_base64
from typing import Any

import numpy as np

NO_READING_24, NO_READING_16 = -(2**23), -(2**15)
MOST_24, MOST_16 = 2**23 - 1, 2**15 - 1


def pack_24(values: Any) -> str:
    """values: (n,) f8 whole numbers; NaN stands for no reading, what is too large for the largest number."""
    whole = _whole(values, MOST_24, NO_READING_24).astype("<i4")
    return b64encode(whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()).decode()


def unpack_24(text: str, n: int) -> Any:
    """-> (n,) f8 with NaN, or None if it is not n numbers."""
    if (data := _bytes(text, 3 * n)) is None:
        return None
    padded = np.zeros((n, 4), np.uint8)
    padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(n, 3)
    whole = (padded.view("<i4")[:, 0] >> 8).astype(np.float64)
    whole[whole == NO_READING_24] = np.nan
    return whole


def pack_16(values: Any) -> str:
    """As `pack_24`, two bytes each."""
    whole = _whole(values, MOST_16, NO_READING_16).astype("<i2")
    return b64encode(whole.tobytes()).decode()


def unpack_16(text: str, n: int) -> Any:
    """As `unpack_24`."""
    if (data := _bytes(text, 2 * n)) is None:
        return None
    whole = np.frombuffer(data, "<i2").astype(np.float64)
    whole[whole == NO_READING_16] = np.nan
    return whole


def _whole(values: Any, most: int, no_reading: int) -> Any:
    return np.where(values == values, np.minimum(np.maximum(values, -most), most), no_reading)


def _bytes(text: str, size: int) -> bytes | None:
    try:
        data = a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        return None
    return data if len(data) == size else None
