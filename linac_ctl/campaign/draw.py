"""Chance that is the same everywhere: every draw is a function of the campaign's seed and of what it is for."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")
STEPS = 2**53


def share(*key: object) -> float:
    """Evenly from 0 up to, not including, 1."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / STEPS


def between(low: float, high: float, *key: object, step: float = 0.01) -> float:
    """Evenly, in whole steps: a cycle by default."""
    whole = round((high - low) / step)
    return round(low + step * int(share(*key) * (whole + 1)), 6)


def number(low: int, high: int, *key: object) -> int:
    """A whole number, both ends included."""
    return low + int(share(*key) * (high - low + 1))


def one(items: Sequence[Item], *key: object) -> Item:
    """One of them."""
    return items[int(share(*key) * len(items))]


def some(items: Sequence[Item], count: int, *key: object) -> list[Item]:
    """Different ones, at most as many as there are, in the order of `items`."""
    ranked = sorted(range(len(items)), key=lambda i: share(*key, i))
    return [items[i] for i in sorted(ranked[:count])]
