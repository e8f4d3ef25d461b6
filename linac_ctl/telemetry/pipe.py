"""The way out of the control process: whole frames or nothing, bounded, never waits, never raises, counts what it drops.

A local packet socket takes a frame whole or refuses it at once. What it refuses waits here, the newest snapshots and the
newest words each in a queue of their own; a full queue drops its oldest.
"""

import errno
import socket
from collections import deque

KEPT_NUMBERS = 8
KEPT_WORDS = 2000
BURST = 64  # frames sent in one go, so that catching up takes no cycle's time


class Pipe:
    """The writing end. `numbers` are snapshots, of which only the newest matter; `words` are events and states."""

    def __init__(self, socket_: socket.socket) -> None:
        socket_.setblocking(False)
        self.socket = socket_
        self.numbers: deque[bytes] = deque(maxlen=KEPT_NUMBERS)
        self.words: deque[bytes] = deque(maxlen=KEPT_WORDS)
        self.lost_numbers = self.lost_words = 0
        self.down = ""  # why nothing goes through any more

    def put_numbers(self, frame: bytes) -> None:
        """A snapshot."""
        self.lost_numbers += len(self.numbers) == KEPT_NUMBERS or bool(self.down)
        if not self.down:
            self.numbers.append(frame)
            self._flush()

    def put_words(self, frame: bytes) -> None:
        """Something that should not be lost."""
        self.lost_words += len(self.words) == KEPT_WORDS or bool(self.down)
        if not self.down:
            self.words.append(frame)
            self._flush()

    def _flush(self) -> None:
        for _ in range(BURST):
            queue = self.words or self.numbers
            if not queue or not self._send(queue[0]):
                return
            if queue:
                queue.popleft()

    def _send(self, frame: bytes) -> bool:
        """False: not now, or never again."""
        try:
            self.socket.send(frame)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if error.errno == errno.EMSGSIZE:  # this one will never go through; the next may
                self.lost_words += 1
                return True
            self._fall(error)
            return False
        return True

    def _fall(self, error: OSError) -> None:
        """Nobody reads any more: count what is left, forget it."""
        self.down = f"the publisher is gone ({error.strerror})"
        self.lost_numbers, self.lost_words = self.lost_numbers + len(self.numbers), self.lost_words + len(self.words)
        self.numbers.clear()
        self.words.clear()

    def close(self) -> None:
        """The publisher hears the end."""
        self.socket.close()


def new_pipe() -> tuple[Pipe, socket.socket]:
    """(writing end, the socket that the publisher's process is given)."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Pipe(ours), theirs
