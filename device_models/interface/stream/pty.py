"""Pseudo terminals: a port of our own that other programs open like a serial port, and both ends of one for a run.

What a pty does differently from a serial port, and what is done about it: it echoes unless set raw; the end of a client is
a hang-up that wakes a waiting loop 100 000 times a second, so nobody waits while nobody is there, we look instead; what a
client left unread would reach the next one, so it is flushed, which only the client's side of a pty can do.
"""

import os
import select
import termios
import tty
from asyncio import TimerHandle
from pathlib import Path

from .contract import Loop, OnClient
from .fd import LIMIT_BYTES, FdStream
from .terminal import baud_of

LOOK_S = 0.05  # between looks for a client: costs 0.3 % of a core


def pty_pair(name: str = "pty") -> tuple[FdStream, FdStream]:
    """(controller's end, device's end), raw, both ours: no client comes or goes."""
    master, slave = os.openpty()
    tty.setraw(slave)
    return FdStream(slave, name), FdStream(master, f"{name} (device)")


class PtyPort:
    """Offers a pty under a name of our choice (`link`) as long as it lives, whichever /dev/pts/N is behind it."""

    def __init__(self, link: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        if link.exists() and not link.is_symlink():
            raise FileExistsError(f"{link}: is there and is no link; name another place for the port")
        self.link, self.name, self.limit_bytes = link, str(link), limit_bytes
        self.refused = 0  # a pty cannot turn anybody away: a second client shares the first one's stream
        self._made = _make_folder(link.parent)
        self._master = -1
        self._stream: FdStream | None = None
        self._loop: Loop | None = None
        self._timer: TimerHandle | None = None
        self._on_client: OnClient | None = None
        self._open()

    @property
    def path(self) -> str:
        """/dev/pts/N at the moment; another after we hung up on a client."""
        return self._path

    @property
    def baud(self) -> int:
        """The rate that the client has set: bytes are not slowed down by it unless somebody paces them."""
        return baud_of(self._master)

    def attach(self, loop: Loop, on_client: OnClient) -> None:
        """Looks for clients from now on."""
        self._loop, self._on_client = loop, on_client
        self._look()

    def close(self) -> None:
        """Hangs up and removes the name, unless somebody else has taken it meanwhile."""
        if self._timer is not None:
            self._timer.cancel()
        if self._stream is not None:
            self._stream.close()
        if self._master < 0:
            return
        os.close(self._master)
        self._master = -1
        self._unlink()

    def _open(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self._path = os.ttyname(slave)
        os.close(slave)  # from here on the master shows a hang-up until a client comes
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        fresh = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._path)
        fresh.replace(self.link)  # at once: there is no moment without the name, and none with half of it

    def _look(self) -> None:
        if self._stream is not None and not self._stream.up:
            self._clear(self._stream)
        if self._stream is None and self._somebody() and self._on_client is not None:
            self._stream = FdStream(os.dup(self._master), self.name, self.limit_bytes)
            self._on_client(self._stream)
        if self._loop is not None and self._master >= 0:
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def _somebody(self) -> bool:
        """A client is there, or was there so shortly that only its bytes are left."""
        events = dict(self._poll.poll(0)).get(self._master, 0)
        return not events & select.POLLHUP or bool(events & select.POLLIN)

    def _clear(self, ended: FdStream) -> None:
        """After a client: its unread bytes and its settings go. One on whom we hung up keeps a pty that nobody serves."""
        self._stream = None
        if ended.closed_here:
            os.close(self._master)
            self._open()
            return
        quick = self._somebody()  # the next client is there already: its settings are its own
        slave = os.open(self._path, os.O_RDWR | os.O_NOCTTY)
        termios.tcflush(slave, termios.TCIFLUSH)
        if not quick:
            tty.setraw(slave, termios.TCSANOW)
        os.close(slave)

    def _unlink(self) -> None:
        if self.link.is_symlink() and os.readlink(self.link) == self._path:
            self.link.unlink()
        if self._made and not any(self.link.parent.iterdir()):
            self.link.parent.rmdir()


def _make_folder(folder: Path) -> bool:
    """Ours alone (0700) if it has to be made: a name that anybody could replace would hand our line to anybody."""
    if folder.is_dir():
        return False
    folder.mkdir(parents=True, mode=0o700)
    return True
