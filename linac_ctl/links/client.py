"""One request and its answer at a time, before a session runs: who is there, and what is it?"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from device_models.interface.stream.contract import Stream
from device_models.interface.wire.framing import REPLY, REQUEST, Decoder, Line, make

from ..errors import LinkError

AGAIN_S = 0.05  # a repeat is the same bytes, answered from memory if the first was heard
TRIES = 3
FIRST_TRIES = 20  # of `HI`: an adapter or a board may need a second


@dataclass
class Client:
    """`pump`: lets the far end work, where it is in this process."""

    name: str
    stream: Stream
    pump: Callable[[], None] = lambda: None
    decoder: Decoder = field(default_factory=Decoder)
    sequence: int = -1
    bytes_heard: int = 0

    def ask(self, body: str, tries: int = TRIES) -> list[str]:
        """Arguments of the reply after `OK t`; LinkError for a refusal or silence."""
        return self._arguments(self.exchange(body, tries), body)

    def exchange(self, body: str, tries: int = TRIES) -> Line:
        """The reply, whatever it says; LinkError for silence."""
        self.sequence = (self.sequence + 1) % 256
        request = make(REQUEST, self.sequence, body)
        for _ in range(tries):
            self.stream.write(request)
            self.pump()
            if (reply := self._wait(AGAIN_S)) is not None:
                return reply
            if not self.stream.up:
                break
        raise LinkError(f"{self.name}: {self._silence(body)}")

    def _wait(self, timeout_s: float) -> Line | None:
        until_s = time.monotonic() + timeout_s
        while (left_s := until_s - time.monotonic()) > 0 and self.stream.up:
            data = self.stream.read(left_s)
            self.bytes_heard += len(data)
            found = [line for line in self.decoder.feed(data) if line.start == REPLY and line.sequence == self.sequence]
            if found:
                return found[-1]
        return None

    def _arguments(self, reply: Line, body: str) -> list[str]:
        if reply.verb != "OK":
            raise LinkError(f"{self.name}: refuses `{body}`: {' '.join(reply.args[1:])}; see the wire protocol page")
        return list(reply.args[1:])

    def _silence(self, body: str) -> str:
        if not self.stream.up:
            return f"no answer to `{body}`: {self.stream.why}; connect it and start again"
        if self.bytes_heard and not self.decoder.counts.good:
            return (f"no answer to `{body}`, {self.bytes_heard} bytes came and none of them were a valid line: another baud rate, "
                    "or another protocol; `linac-ctl hil monitor` shows them")
        return f"no answer to `{body}`: is it powered, is it the right port, and is its baud rate that of the URL?"
