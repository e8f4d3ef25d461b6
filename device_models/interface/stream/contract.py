"""What everybody may rely on: a stream of bytes to one peer, and a port where clients come one at a time."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Protocol

Loop = AbstractEventLoop
OnBytes = Callable[[bytes], None]
OnDown = Callable[[str], None]  # told why, in words


class Stream(Protocol):
    """Bytes to and from one peer. Nothing here blocks longer than asked for, or raises because of what the peer does."""

    @property
    def up(self) -> bool:
        """False for ever after the peer hung up or we closed; a new connection is a new stream."""

    @property
    def why(self) -> str:
        """Once `up` is False: what happened, in words."""

    @property
    def dropped(self) -> int:
        """Frames refused because the buffer was full: the peer does not read."""

    def write(self, frame: bytes) -> bool:
        """Take the whole frame or nothing; False if it was refused. Never blocks."""

    def read(self, timeout_s: float = 0.0) -> bytes:
        """What is there, waiting up to `timeout_s` for the first byte; b"" = nothing, or no longer up."""

    def attach(self, loop: Loop, on_bytes: OnBytes, on_down: OnDown) -> None:
        """Event driven from now on, read() is not used then. `on_down` is called once, after the last bytes."""

    def detach(self) -> None:
        """Neither callback is called any more."""

    def close(self) -> None:
        """Give the line back; `on_down` is not called for it. May be repeated."""

    def fileno(self) -> int:
        """The descriptor to wait on, or -1 where there is none (in memory, or no longer up)."""


OnClient = Callable[[Stream], None]


class Port(Protocol):
    """The end of a line that a device offers. One client at a time; each gets a stream of its own."""

    @property
    def name(self) -> str:
        """What a client opens: a path, or host:port."""

    @property
    def refused(self) -> int:
        """Clients turned away because one was connected."""

    def attach(self, loop: Loop, on_client: OnClient) -> None:
        """Call `on_client` with a stream for each client that comes; attach to it at once, its first bytes wait."""

    def close(self) -> None:
        """No more clients; hangs up on the one that is connected. May be repeated."""
