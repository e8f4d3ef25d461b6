"""Bounded waits for what another program or the kernel does; the limit is generous, a pass never waits for it."""

import asyncio
import time
from collections.abc import Callable

LIMIT_S = 20.0


async def until(condition: Callable[[], object], what: str) -> None:
    """Give the loop a chance until it holds."""
    end_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end_s, f"not within {LIMIT_S:g} s: {what}"
        await asyncio.sleep(0.005)


def read_all(stream, count: int) -> bytes:
    """At least `count` bytes by read(), or what came until the limit or the hang-up."""
    got = b""
    end_s = time.monotonic() + LIMIT_S
    while len(got) < count and stream.up and time.monotonic() < end_s:
        got += stream.read(0.1)
    return got


class Heard:
    """Callbacks that remember."""

    def __init__(self) -> None:
        self.got, self.down = b"", []

    def on_bytes(self, data: bytes) -> None:
        self.got += data

    def on_down(self, why: str) -> None:
        self.down.append(why)
