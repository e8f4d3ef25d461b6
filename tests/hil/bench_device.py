"""A small device of two axes in virtual time, written from the protocol page alone, and the line to it. Lies are subclasses."""

import math
from dataclasses import dataclass, field

from device_models.interface.wire.framing import (
    DEVICE_HEARS,
    EVENT,
    REPLY,
    STOP_BYTE,
    TELEMETRY,
    Decoder,
    Line,
    integer,
    make,
)

BOOT, IDLE, HOLD, MOVE, STOP, COMM, FAULT = range(7)
LATCHED = (BOOT, STOP, COMM, FAULT)
VERBS = ("HI", "DD", "ST", "SV", "EN", "HT", "RS", "WD", "TM", "CN", "TT", "LS", "TK", "MV", "MA")
NEVER_PLAIN = ("AR", "FI", "SV", "LS")
LAPSE_MS = 2000


class Refused(Exception):
    """Body of a refusal."""


@dataclass
class Axis:
    """um or mdeg, per s, per s2; places in um."""

    name: str
    low: int = -50_000
    high: int = 50_000
    vmax: int = 20_000
    amax: int = 100_000
    place: float = 0.0
    speed: float = 0.0
    goal: float = math.nan
    own: bool = False

    def step(self, ms: float) -> bool:
        """-> it has just arrived."""
        if math.isnan(self.goal):
            return False
        left, change = self.goal - self.place, self.amax * ms / 1000.0
        wanted = math.copysign(min(self.vmax, math.sqrt(2.0 * self.amax * abs(left)) * 0.9), left)
        self.speed += min(max(wanted - self.speed, -change), change)
        self.place += self.speed * ms / 1000.0
        if abs(self.goal - self.place) > 20.0 or abs(self.speed) > 2.0 * change + 100.0:
            return False
        self.place, self.speed, self.goal = self.goal, 0.0, math.nan
        return True

    def brake(self) -> None:
        """To rest, as fast as it may."""
        self.own = False
        self.goal = math.nan if self.speed == 0.0 else self.place + self.speed * abs(self.speed) / (2.0 * self.amax)


@dataclass
class Device:
    """`out`: what it has said and nobody has read."""

    caps: tuple[str, ...] = ("ls",)
    unit: str = "carriages"
    maxline: int = 160
    session: str = "0123ABCD"
    rate: float = 1.0  # of its clock
    out: bytearray = field(default_factory=bytearray)
    us: int = 0

    def __post_init__(self) -> None:
        self.axes = [Axis("A"), Axis("B", low=-30_000)]
        self.decoder = Decoder(hears=DEVICE_HEARS, plain=True, maxline=self.maxline)
        self.state, self.power, self.lockstep, self.cycles = BOOT, False, False, -1
        self.last: tuple[int, bytes, bytes] | None = None
        self.wd_ms, self.fed_ms, self.watched = 250, 0.0, False
        self.tm_ms, self.tm_due_ms, self.tm_count, self.ev_count = 0, 0.0, 0, 0
        self.nonce, self.nonce_ms, self.armed = "", 0.0, False
        self.event(f"BOOT session={self.session}")

    # --- clock

    @property
    def ms(self) -> float:
        return self.cycles * 10.0 if self.lockstep else self.us * self.rate / 1000.0

    @property
    def t(self) -> int:
        return max(int(self.ms), 0) % 2**32

    def tick(self, us: int) -> None:
        """Real time passes."""
        self.us += us
        if not self.lockstep:
            self.pass_time(us * self.rate / 1000.0)

    def pass_time(self, ms: float) -> None:
        """On its own clock."""
        if self.watched and not self.lockstep and not self.decoder.plain and self.ms - self.fed_ms > self.wd_ms:
            self.watched = False
            self.decoder.counts.expiries += 1
            self.latch(COMM, "WDOG")
        for number, axis in enumerate(self.axes):
            if axis.step(ms) and axis.own:
                axis.own = False
                self.event(f"DONE axis={number}")
        if all(math.isnan(axis.goal) for axis in self.axes):
            self.power = self.power and self.state not in LATCHED
            self.state = HOLD if self.state == MOVE else self.state
        if self.tm_ms and self.ms >= self.tm_due_ms:
            self.tm_due_ms += self.tm_ms
            self.say(make(TELEMETRY, self.tm_count, f"ST {self.t} {self.status()}"))
            self.tm_count += 1

    # --- saying

    def say(self, line: bytes) -> None:
        self.out += line

    def event(self, text: str) -> None:
        self.say(make(EVENT, self.ev_count, f"EV {self.t} {text}"))
        self.ev_count += 1

    def flags(self) -> int:
        own = any(axis.own for axis in self.axes)
        return self.power + 2 + 4 * self.armed + 8 * self.lockstep + 16 * own

    def brief(self) -> str:
        return f"{self.state} {self.flags()}"

    def status(self) -> str:
        places = " ".join(f"{axis.place:.0f}" for axis in self.axes)
        return f"{self.brief()} {places}{' 0' * len(self.axes)}"

    # --- hearing

    def hear(self, data: bytes) -> None:
        if STOP_BYTE in data:
            self.decoder.counts.stops += data.count(STOP_BYTE)
            data = data.replace(bytes((STOP_BYTE,)), b"")
            self.latch(STOP, "STOP")
        for line in self.decoder.feed(data):
            self.take(line)

    def latch(self, state: int, word: str) -> None:
        self.armed, self.nonce = False, ""
        for axis in self.axes:
            axis.brake()
        if all(math.isnan(axis.goal) for axis in self.axes):
            self.power = False
        if self.state not in LATCHED:
            self.state = state
        self.event(word)

    def take(self, line: Line) -> None:
        if line.plain:
            self.say(make(REPLY, 0, self.answer(line)))
            return
        self.feed()
        if line.verb == "HI" or not self.known(line):
            reply = make(REPLY, line.sequence, self.answer(line))
            self.last = (line.sequence, line.raw[-4:], reply)
            self.say(reply)

    def feed(self) -> None:
        self.watched, self.fed_ms = True, self.ms

    def known(self, line: Line) -> bool:
        """A repeat or an old one; both are dealt with here."""
        if self.last is None:
            return False
        ahead = (line.sequence - self.last[0]) % 256
        if ahead == 0 and line.raw[-4:] == self.last[1]:
            self.decoder.counts.repeated += 1
            self.say(self.last[2])
            return True
        if ahead == 0 or ahead > 128:
            self.decoder.counts.old += 1
            return True
        return False

    def answer(self, line: Line) -> str:
        """Body of the reply; the time is that of afterwards, so lockstep tells where it has come to."""
        try:
            method = getattr(self, f"do_{line.verb.lower()}", None)
            if method is None or line.verb not in self.verbs or (line.plain and line.verb in NEVER_PLAIN):
                raise Refused("2 verb")
            said = method(*((self.session,) if line.plain and line.verb == "RS" else line.args))
            return f"OK {self.t} {said}".rstrip()
        except Refused as refusal:
            return f"ER {self.t} {refusal}"
        except TypeError:
            return f"ER {self.t} 1 syntax"

    # --- verbs

    @property
    def verbs(self) -> tuple[str, ...]:
        without = () if "ls" in self.caps else ("LS", "TK")
        return tuple(verb for verb in VERBS if verb not in without) + (("AR", "FI") if "ar" in self.caps else ())

    def do_hi(self) -> str:
        return (f"proto=1 unit={self.unit} axes={len(self.axes)} fw=bench-1 serial=7 session={self.session} "
                f"caps={','.join(self.caps) or 'none'} maxline={self.maxline} baud=0")

    def items(self) -> list[str]:
        axes = [f"axis={i} name={a.name} unit=um low={a.low} high={a.high} vmax={a.vmax} amax={a.amax}"
                for i, a in enumerate(self.axes)]
        return [*axes, f"par=WD unit=ms low=20 high=10000 now={self.wd_ms}", *(f"verb={verb}" for verb in self.verbs)]

    def do_dd(self, item: str | None = None) -> str:
        items = self.items()
        return str(len(items)) if item is None else items[self.number(item, 0, len(items) - 1)]

    def do_st(self) -> str:
        return self.status()

    def do_sv(self, power: str, *targets: str) -> str:
        wanted = self.number(power, 0, 1)
        if len(targets) != len(self.axes):
            raise Refused("1 syntax")
        goals = [self.number(target, -(2**31), 2**31) for target in targets]
        if wanted:
            self.within(dict(enumerate(goals)))
        if self.state not in LATCHED:
            self.power, self.state = bool(wanted), MOVE if wanted else IDLE
            for axis, goal in zip(self.axes, goals, strict=True):
                axis.goal = float(goal) if wanted else math.nan
        if self.lockstep:
            self.go_on(1)
        return self.status()

    def do_en(self, power: str) -> str:
        wanted = self.number(power, 0, 1)
        if self.state in LATCHED:
            if wanted:
                raise Refused(f"4 state state={self.state}")
        else:
            self.power, self.state = bool(wanted), HOLD if wanted else IDLE
            for axis in self.axes:
                axis.goal, axis.speed, axis.own = math.nan, 0.0, False
        return self.brief()

    def do_ht(self) -> str:
        self.armed, self.nonce = False, ""
        for axis in self.axes:
            axis.brake()
        return self.brief()

    def do_rs(self, session: str) -> str:
        if session != self.session:
            raise Refused("6 session")
        if self.state in LATCHED:
            self.state, self.power = IDLE, False
        return self.brief()

    def do_wd(self, ms: str | None = None) -> str:
        self.wd_ms = self.wd_ms if ms is None else self.number(ms, 20, 10_000)
        return str(self.wd_ms)

    def do_tm(self, ms: str | None = None) -> str:
        if ms is not None:
            asked = self.number(ms, 0, 10_000)
            if 0 < asked < 10:
                raise Refused("3 limit low=10 high=10000")
            self.tm_ms, self.tm_due_ms = asked, self.ms + asked
        return str(self.tm_ms)

    def do_cn(self) -> str:
        c = self.decoder.counts
        return f"{c.good} {c.invalid} {c.repeated} {c.old} {c.stops} {c.expiries}"

    def do_tt(self) -> str:
        self.decoder.plain = True
        return ""

    def do_ls(self, on: str) -> str:
        wanted = bool(self.number(on, 0, 1))
        if self.lockstep and not wanted:
            self.us = int(self.ms * 1000.0 / self.rate)
        self.lockstep, self.cycles, self.fed_ms = wanted, -1, self.ms
        return str(self.flags())

    def do_tk(self, cycles: str) -> str:
        wanted = self.number(cycles, 1, 1000)
        if not self.lockstep:
            raise Refused("7 mode")
        self.go_on(wanted)
        return self.status()

    def go_on(self, cycles: int) -> None:
        for _ in range(cycles):
            self.cycles += 1
            self.pass_time(10.0)

    def do_mv(self, axis: str, target: str) -> str:
        return self.move({self.number(axis, 0, len(self.axes) - 1): self.number(target, -(2**31), 2**31)})

    def do_ma(self, *targets: str) -> str:
        if len(targets) != len(self.axes):
            raise Refused("1 syntax")
        return self.move({i: self.number(target, -(2**31), 2**31) for i, target in enumerate(targets)})

    def move(self, goals: dict[int, int]) -> str:
        self.within(goals)
        if self.state not in (HOLD, MOVE):
            raise Refused(f"4 state state={self.state}")
        for number, goal in goals.items():
            self.axes[number].goal, self.axes[number].own = float(goal), True
        self.state = MOVE
        return self.brief()

    def within(self, goals: dict[int, int]) -> None:
        for i, goal in goals.items():
            if not self.axes[i].low <= goal <= self.axes[i].high:
                raise Refused(f"3 limit axis={i} low={self.axes[i].low} high={self.axes[i].high}")

    def do_ar(self, nonce: str) -> str:
        if len(nonce) != 4 or not set(nonce) <= set("0123456789ABCDEF"):
            raise Refused("1 syntax")
        self.nonce, self.nonce_ms, self.armed = nonce, self.ms, False
        return str(self.flags())

    def do_fi(self, nonce: str) -> str:
        asked, self.nonce = self.nonce, ""
        if not asked or nonce != asked or self.ms - self.nonce_ms > LAPSE_MS:
            raise Refused("5 unarmed")
        self.armed = True
        return str(self.flags())

    def number(self, text: str, low: int, high: int) -> int:
        value = integer(text)
        if value is None:
            raise Refused("1 syntax")
        if not low <= value <= high:
            raise Refused(f"3 limit low={low} high={high}")
        return value


@dataclass
class VirtualLine:
    """The host's end of a line, and its clock: waiting is what lets time pass."""

    device: Device
    delay_us: int = 200  # until a write has arrived
    up: bool = True
    why: str = ""
    dropped: int = 0
    us: int = 0

    def now_us(self) -> int:
        return self.us

    def write(self, frame: bytes) -> bool:
        self.pass_time(self.delay_us)
        self.device.hear(frame)
        return True

    def read(self, timeout_s: float = 0.0) -> bytes:
        end_us = self.us + int(timeout_s * 1e6)
        while not self.device.out and self.us < end_us:
            self.pass_time(min(1000, end_us - self.us))
        data = bytes(self.device.out)
        self.device.out.clear()
        return data

    def pass_time(self, us: int) -> None:
        self.us += us
        self.device.tick(us)

    def attach(self, loop, on_bytes, on_down) -> None:
        raise NotImplementedError

    def detach(self) -> None: ...

    def close(self) -> None:
        self.up = False

    def fileno(self) -> int:
        return -1
