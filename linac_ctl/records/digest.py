"""The digest of a run: equal digests mean equal bits of rows, events and state."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

Part = bytes | np.ndarray[Any, Any]


class Digest:
    """SHA-256 over parts in the order they are given; `text` is its first 16 hex digits."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, part: Part) -> "Digest":
        """Rows, records or the bytes of an event line; contiguous arrays are not copied."""
        if isinstance(part, np.ndarray):
            self._hash.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data if part.size else b"")
        else:
            self._hash.update(part)
        return self

    @property
    def raw(self) -> bytes:
        """All 32 bytes of it, as a part of another digest."""
        return self._hash.digest()

    @property
    def text(self) -> str:
        """Digest of everything so far; more may follow."""
        return self._hash.hexdigest()[:16]


def digest(parts: Iterable[Part]) -> str:
    """16 hex digits over all parts."""
    total = Digest()
    for part in parts:
        total.update(part)
    return total.text
