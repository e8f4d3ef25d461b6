"""Asks one device: one request at a time, everything that goes over the line kept, in both directions."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from device_models.interface.stream.contract import Stream
from device_models.interface.wire.framing import EVENT, HOST_HEARS, REPLY, REQUEST, TELEMETRY, Decoder, Line, make
from device_models.interface.wire.sizes import BITS_PER_BYTE
from linac_ctl.errors import LinkError

MAXLINE = 1600  # of a device's lines: an MLC of 120 leaves says 835 characters
WAIT_MS = 500.0
ROOM = 1.5  # a device may read more slowly than the line brings
KEPT = 20_000  # pieces of traffic, the oldest go first


class NoAnswerError(LinkError):
    """A request met silence."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes as they were written or read."""

    t_us: int
    sent: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """A valid line and when it was read."""

    t_us: int
    line: Line

    @property
    def text(self) -> str:
        """Without its CRC."""
        return self.line.raw[:-5].decode()

    @property
    def device_ms(self) -> int:
        """What the device's clock said, -1 if it says nothing."""
        return int(self.line.args[0]) if self.line.args and self.line.args[0].isdigit() else -1


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request, and when that was sent."""

    heard: Heard
    sent_us: int
    request: str

    @property
    def ok(self) -> bool:
        """Not a refusal."""
        return self.heard.line.verb == "OK"

    @property
    def t_ms(self) -> int:
        """The device's clock."""
        return self.heard.device_ms

    @property
    def args(self) -> tuple[str, ...]:
        """After the clock."""
        return self.heard.line.args[1:]

    @property
    def code(self) -> int:
        """Of a refusal; 0 if it is none."""
        first = self.args[0] if self.args and not self.ok else ""
        return int(first) if first.isdigit() else 0

    @property
    def text(self) -> str:
        """As it came, without its CRC."""
        return self.heard.text

    @property
    def trip_us(self) -> int:
        """From the request to the reply."""
        return self.heard.t_us - self.sent_us

    def keys(self) -> dict[str, str]:
        """All `key=word`."""
        return dict(arg.split("=", 1) for arg in self.args if "=" in arg)


@dataclass(slots=True)
class Client:
    """`now_us`: a clock that never runs backwards; where time comes from is decided by whoever makes the client."""

    stream: Stream
    now_us: Callable[[], int]
    wait_ms: float = WAIT_MS
    baud: int = 0  # of the line, 0 where it has none: long lines take their time
    sequence: int = 255  # of the last request
    decoder: Decoder = field(default_factory=lambda: Decoder(hears=HOST_HEARS, maxline=MAXLINE))
    traffic: deque[Piece] = field(default_factory=lambda: deque(maxlen=KEPT))
    telemetry: list[Heard] = field(default_factory=list)
    events: list[Heard] = field(default_factory=list)
    strays: list[Heard] = field(default_factory=list)  # replies that nobody waits for
    unanswered_bytes: int = 0  # said since the last reply

    def ask(self, body: str, *, repeats: int = 0) -> Reply:
        """The next request; NoAnswerError after `repeats` more tries with the same bytes."""
        self.sequence = (self.sequence + 1) % 256
        return self.send_line(make(REQUEST, self.sequence, body), repeats=repeats)

    def send_line(self, line: bytes, *, repeats: int = 0) -> Reply:
        """A line of ours or of somebody else, and the reply with its sequence number."""
        sequence, text = int(line[1:3], 16), line.rstrip(b"\r\n")[:-5].decode()
        for _ in range(1 + repeats):
            sent_us = self.say(line)
            if (heard := self.reply_to(sequence, self.wait_ms + self._line_ms())) is not None:
                return Reply(heard, sent_us, text)
        raise NoAnswerError(f"{text}: no answer within {self.wait_ms:g} ms{self._why()}")

    def say(self, data: bytes) -> int:
        """Bytes as they are; -> when."""
        t_us = self.now_us()
        if not self.stream.write(data):
            raise LinkError(f"the line takes no more bytes: {self.stream.why or 'the device does not read'}")
        self.traffic.append(Piece(t_us, True, data))
        self.unanswered_bytes += len(data)
        return t_us

    def reply_to(self, sequence: int, wait_ms: float) -> Heard | None:
        """The next reply with this number; others before it are strays."""
        found: list[Heard] = []

        def take(heard: Heard) -> None:
            mine = not found and heard.line.sequence == sequence
            (found if mine else self.strays).append(heard)

        self._listen(wait_ms, take, lambda: bool(found))
        self.unanswered_bytes = 0 if found else self.unanswered_bytes
        return found[0] if found else None

    def listen(self, for_ms: float) -> None:
        """Let everything come that comes."""
        self._listen(for_ms, self.strays.append, lambda: False)

    def wait_event(self, word: str, wait_ms: float) -> Heard | None:
        """The next event of this name, from now on."""
        seen = len(self.events)
        self._listen(wait_ms, self.strays.append, lambda: any(named(e, word) for e in self.events[seen:]))
        return next((event for event in self.events[seen:] if named(event, word)), None)

    def forget(self) -> None:
        """Events, telemetry and strays so far; the traffic is kept."""
        self.telemetry.clear()
        self.events.clear()
        self.strays.clear()

    def _listen(self, for_ms: float, take: Callable[[Heard], None], enough: Callable[[], bool]) -> None:
        """Reads until `enough` or the time is over; every line that came goes to its list, also after enough of them."""
        end_us = self.now_us() + int(for_ms * 1000)
        while not enough() and (left_us := end_us - self.now_us()) > 0 and self.stream.up:
            if data := self.stream.read(left_us / 1e6):
                self._sort(data, take)

    def _sort(self, data: bytes, take: Callable[[Heard], None]) -> None:
        t_us = self.now_us()
        self.traffic.append(Piece(t_us, False, data))
        places = {REPLY: take, TELEMETRY: self.telemetry.append, EVENT: self.events.append}
        for line in self.decoder.feed(data):
            places[line.start](Heard(t_us, line))

    def _line_ms(self) -> float:
        """What is still on its way takes so long."""
        return ROOM * BITS_PER_BYTE * 1000.0 * self.unanswered_bytes / self.baud if self.baud else 0.0

    def _why(self) -> str:
        return "" if self.stream.up else f": {self.stream.why}"


def named(event: Heard, word: str) -> bool:
    """Is it this event?"""
    return len(event.line.args) > 1 and event.line.args[1] == word
