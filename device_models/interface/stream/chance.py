"""Chance as a pure function of (seed, name, number): whatever else happens, the same frame meets the same fate."""

import hashlib


def share(seed: int, name: str, number: int, draw: int = 0) -> float:
    """In [0, 1)."""
    digest = hashlib.blake2b(f"{seed}/{name}/{number}/{draw}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def below(limit: int, seed: int, name: str, number: int, draw: int = 0) -> int:
    """0 ... limit - 1."""
    return int(share(seed, name, number, draw) * limit)
