"""TCP: a client, and a port for one client at a time."""

import select
import socket

from .contract import Loop, OnClient
from .fd import LIMIT_BYTES, FdStream

GONE_S = 3  # without any answer from the other computer: it has lost power or its cable
RETRY_S = 0.02


def connect(host: str, port: int, timeout_s: float, limit_bytes: int = LIMIT_BYTES) -> FdStream:
    """To a server; OSError as the system says it."""
    line = socket.create_connection((host, port), timeout_s)
    return _stream(line, f"{host}:{port}", limit_bytes)


def _stream(line: socket.socket, name: str, limit_bytes: int) -> FdStream:
    """Small frames go out at once; a peer that vanished without a word is noticed."""
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", GONE_S), ("TCP_USER_TIMEOUT", GONE_S * 1000)):
        if hasattr(socket, option):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return FdStream(line.detach(), name, limit_bytes)


class TcpPort:
    """Listens on one address. While a client is connected others are turned away and counted."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, limit_bytes: int = LIMIT_BYTES) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=8)
        self._socket.setblocking(False)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self.name = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.limit_bytes, self.refused = limit_bytes, 0
        self._stream: FdStream | None = None
        self._loop: Loop | None = None
        self._on_client: OnClient | None = None

    def attach(self, loop: Loop, on_client: OnClient) -> None:
        """Takes clients from now on."""
        self._loop, self._on_client = loop, on_client
        loop.add_reader(self._socket.fileno(), self._come)

    def close(self) -> None:
        """No more clients; hangs up on the one that is connected."""
        if self._socket.fileno() >= 0:
            if self._loop is not None:
                self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
        if self._stream is not None:
            self._stream.close()

    def _come(self) -> None:
        if self._stream is not None and self._stream.up and _leaving(self._stream):
            self._wait()  # its last bytes have to be read first; the next client is patient
            return
        try:
            line, _ = self._socket.accept()
        except OSError:
            return  # it has given up already
        if self._stream is not None and self._stream.up:
            self.refused += 1
            line.close()
        elif self._on_client is not None:
            self._stream = _stream(line, self.name, self.limit_bytes)
            self._on_client(self._stream)

    def _wait(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop.call_later(RETRY_S, self._again)

    def _again(self) -> None:
        if self._loop is not None and self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket.fileno(), self._come)


def _leaving(stream: FdStream) -> bool:
    """Has its client closed, whether or not we have read that far?"""
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))
