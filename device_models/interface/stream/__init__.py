"""Byte streams, the same for both sides of a line: over a file descriptor, a pty, TCP, RFC 2217, or bytes in memory."""

from .contract import Loop, OnBytes, OnClient, OnDown, Port, Stream
from .fd import FdStream
from .loopback import MemoryStream, loopback_pair
from .pty import PtyPort, pty_pair

__all__ = [
    "FdStream", "Loop", "MemoryStream", "OnBytes", "OnClient", "OnDown", "Port", "PtyPort", "Stream", "loopback_pair", "pty_pair",
]
