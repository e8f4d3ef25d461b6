"""UIDs from content: the same plan has the same names wherever and whenever it is made (PS3.5 B.2, root 2.25)."""

import hashlib


def uid(*parts: str) -> str:
    """A UID that is a function of the texts."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:16], "big")
    return f"2.25.{number}"
