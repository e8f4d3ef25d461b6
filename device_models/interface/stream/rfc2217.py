"""Serial lines over TCP with their settings (RFC 2217): a port for other people's clients, and a client of our own.

The server answers every SET command, also those that mean nothing for a simulated line: pyserial's client waits for SET-CONTROL,
others for the masks. The client needs no more than the answer to its rate: ser2net in front of a pty gives little else.
"""

import struct
import time
from collections.abc import Callable

from .contract import Loop, OnBytes, OnClient, OnDown, Stream
from .fd import LIMIT_BYTES
from .tcp import TcpPort
from .telnet import BINARY, COM_PORT, DO, DONT, NO_GO_AHEAD, WILL, WONT, Option, Telnet, escape, option, sub
from .wrapper import Wrapper

UNDERSTOOD = (BINARY, NO_GO_AHEAD, COM_PORT)
SIGNATURE, BAUD, DATA_BITS, PARITY, STOP_BITS, CONTROL = range(6)
NOTIFY_MODEM, SUSPEND, RESUME, LINE_MASK, MODEM_MASK, PURGE = 7, 8, 9, 10, 11, 12
ANSWER = 100  # added to a command's code
FIXED = {DATA_BITS: b"\x08", PARITY: b"\x01", STOP_BITS: b"\x01"}  # 8N1, whatever is asked for; the answer says so
CONTROLS = {  # question: (its answers, the one at first)
    0: ((1, 2, 3), 1), 4: ((5, 6), 6), 7: ((8, 9), 8), 10: ((11, 12), 11), 13: ((14, 15, 16), 14),
}
MODEM_READY = b"\xb0"  # carrier, data set ready, clear to send
RATE = struct.Struct(">I")


class NegotiationError(Exception):
    """The peer does not speak RFC 2217, or not with our settings."""


class _TelnetStream(Wrapper):
    """Data without the telnet around it."""

    def __init__(self, raw: Stream) -> None:
        super().__init__(raw)
        self._telnet = Telnet()
        self._said: set[Option] = set()  # once each: two sides that answer answers never stop
        self._early = b""  # data that came during the negotiation
        self._on_bytes: OnBytes | None = None

    def write(self, frame: bytes) -> bool:
        """Escaped."""
        return self.raw.write(escape(frame))

    def read(self, timeout_s: float = 0.0) -> bytes:
        """Data only; commands are dealt with meanwhile."""
        if early := self._take_early():
            return early
        until_s = time.monotonic() + timeout_s
        while not (data := self._take(self.raw.read(max(0.0, until_s - time.monotonic())))) and self.up:
            if time.monotonic() >= until_s:
                break
        return data

    def attach(self, loop: Loop, on_bytes: OnBytes, on_down: OnDown) -> None:
        """Data only."""
        self._on_bytes = on_bytes
        if self._early:
            loop.call_soon(self._came, b"")
        self.raw.attach(loop, self._came, on_down)

    def detach(self) -> None:
        """Neither callback is called any more."""
        self._on_bytes = None
        self.raw.detach()

    def _came(self, data: bytes) -> None:
        if (clear := self._take_early() + self._take(data)) and self._on_bytes is not None:
            self._on_bytes(clear)

    def _take_early(self) -> bytes:
        early, self._early = self._early, b""
        return early

    def _take(self, data: bytes) -> bytes:
        clear = b""
        for item in self._telnet.feed(data):
            if isinstance(item, bytes):
                clear += item
            elif isinstance(item, Option):
                self._option(item)
            elif item.option == COM_PORT and item.data:
                self._command(item.data[0], item.data[1:])
        return clear

    def _option(self, asked: Option) -> None:
        fine = asked.option in UNDERSTOOD
        if asked.verb == WILL:
            self._say(Option(DO if fine else DONT, asked.option))
        elif asked.verb == DO:
            self._say(Option(WILL if fine else WONT, asked.option))

    def _say(self, ours: Option) -> None:
        if ours not in self._said:
            self._said.add(ours)
            self.raw.write(option(*ours))

    def _send(self, code: int, value: bytes) -> None:
        self.raw.write(sub(COM_PORT, bytes((code,)) + value))

    def _command(self, code: int, value: bytes) -> None:
        """What the sides do differently."""


class Rfc2217Stream(_TelnetStream):
    """A device's end: the client's settings arrive with the bytes."""

    def __init__(self, raw: Stream, baud: int = 115200, limit_bytes: int = LIMIT_BYTES) -> None:
        super().__init__(raw)
        self.baud, self.limit_bytes = baud, limit_bytes
        self._control = {question: first for question, (_, first) in CONTROLS.items()}
        self._held: bytearray | None = None  # what waits while the client wants nothing
        self._refused = 0

    @property
    def dropped(self) -> int:
        """With those refused while the client held us."""
        return self.raw.dropped + self._refused

    def write(self, frame: bytes) -> bool:
        """Waits, up to the limit, while the client has suspended us."""
        if self._held is None:
            return super().write(frame)
        if len(self._held) + len(frame) > self.limit_bytes:
            self._refused += 1
            return False
        self._held += frame
        return self.up

    def _command(self, code: int, value: bytes) -> None:
        if code == BAUD:
            self._set_baud(value)
        elif code in FIXED:
            self._send(code + ANSWER, FIXED[code])
        elif code == CONTROL:
            self._set_control(value)
        elif code == SIGNATURE and not value:
            self._send(code + ANSWER, b"linac-ctl")
        elif code in (LINE_MASK, MODEM_MASK, PURGE):
            self._send(code + ANSWER, value)
            if code == MODEM_MASK:
                self._send(NOTIFY_MODEM + ANSWER, MODEM_READY)
        elif code == SUSPEND:
            self._held = bytearray() if self._held is None else self._held
        elif code == RESUME and self._held is not None:
            waiting, self._held = bytes(self._held), None
            self.write(waiting)

    def _set_baud(self, value: bytes) -> None:
        if len(value) == RATE.size and (wanted := RATE.unpack(value)[0]):
            self.baud = wanted
        self._send(BAUD + ANSWER, RATE.pack(self.baud))

    def _set_control(self, value: bytes) -> None:
        """Sets, or answers a question with what is set."""
        wanted = value[0] if value else 0
        for question, (answers, _) in CONTROLS.items():
            if wanted in answers:
                self._control[question] = wanted
        self._send(CONTROL + ANSWER, bytes((self._control.get(wanted, wanted),)))


class Rfc2217Client(_TelnetStream):
    """The controller's end."""

    def __init__(self, raw: Stream) -> None:
        super().__init__(raw)
        self._agreed: bool | None = None  # None: no word about it yet
        self._rate = 0  # what the server says it has set

    def set_up(self, baud: int, timeout_s: float) -> None:
        """8N1 at `baud`, or NegotiationError."""
        for about in UNDERSTOOD:
            self._say(Option(WILL, about))
            self._say(Option(DO, about))
        if not self._wait(lambda: self._agreed is not None, timeout_s) or not self._agreed:
            said = "does not speak RFC 2217" if self._agreed is False else f"no word of RFC 2217 within {timeout_s:g} s"
            raise NegotiationError(f"{self.why or said}; if bytes alone come and go there, use tcp://")
        self._send(BAUD, RATE.pack(baud))
        for code, value in (*FIXED.items(), (CONTROL, b"\x01"), (CONTROL, b"\x08"), (CONTROL, b"\x0b")):
            self._send(code, value)
        if not self._wait(lambda: self._rate, timeout_s):
            raise NegotiationError(f"{self.why or f'no answer to the rate within {timeout_s:g} s'}; look at the server's port")
        if self._rate != baud:
            raise NegotiationError(f"the port cannot do {baud} baud, it gives {self._rate}; ask for that or for another rate")

    def _wait(self, done: Callable[[], object], timeout_s: float) -> bool:
        until_s = time.monotonic() + timeout_s
        while not done() and self.up and (left_s := until_s - time.monotonic()) > 0:
            self._early = (self._early + self._take(self.raw.read(left_s)))[-LIMIT_BYTES:]
        return bool(done())

    def _option(self, asked: Option) -> None:
        if asked.option == COM_PORT:
            self._agreed = asked.verb in (DO, WILL) or bool(self._agreed)
        super()._option(asked)

    def _command(self, code: int, value: bytes) -> None:
        if code == BAUD + ANSWER and len(value) == RATE.size:
            self._rate = RATE.unpack(value)[0]


class Rfc2217Port(TcpPort):
    """Listens; each client gets a stream that knows the client's rate."""

    def attach(self, loop: Loop, on_client: OnClient) -> None:
        """Takes clients from now on."""
        super().attach(loop, lambda raw: on_client(Rfc2217Stream(raw, limit_bytes=self.limit_bytes)))


__all__ = ["NegotiationError", "Rfc2217Client", "Rfc2217Port", "Rfc2217Stream"]
