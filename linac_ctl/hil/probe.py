"""Measures a line and the device on it without moving anything: round trips, clock, the adapter's latency timer."""

from collections.abc import Sequence
from dataclasses import dataclass

from device_models.interface.wire.sizes import BITS_PER_BYTE

from .budget import Budget, budget
from .client import Client, Reply
from .clock_fit import ClockFit, Reading, fit
from .contact import hello
from .description import Description, describe
from .spread import Spread, spread

WRAP = 2**32
SLOW_TIMER_MS = 2
PAUSE_MS = 20.0
CRC_AND_END = 7


@dataclass(frozen=True, slots=True)
class Probed:
    """`baud`: of the line, 0 where it has none; `floor_us`: how long the bytes of one exchange take on it alone."""

    told: Description
    trips: Spread
    baud: int
    clock: ClockFit
    up_ms: int
    floor_us: float
    budget: Budget | None
    latency_timer_ms: int | None


def probe(client: Client, port: str, baud: int, count: int, seconds: float, timer_ms: int | None) -> Probed:
    """`count` exchanges of `CN` one right after the other, then some for as long as the clocks are compared.

    They feed the device's watchdog; terminal mode is left on, which has none. `baud`: of our end.
    """
    told = describe(client, hello(client, port))
    end_us = client.now_us() + int(seconds * 1e6)
    replies = [client.ask("CN", repeats=1) for _ in range(count)]
    trips_us = [float(reply.trip_us) for reply in replies]
    while client.now_us() < end_us or len(replies) < count + 2:
        client.listen(PAUSE_MS)
        replies.append(client.ask("CN", repeats=1))
    client.ask("TT", repeats=2)
    rate = (baud or told.baud) if told.baud else 0
    return Probed(told, spread(trips_us), rate, clocks(replies[count - 1 :]), replies[-1].t_ms,
                  line_alone_us(replies[:count], rate), budget(told, rate), timer_ms)


def clocks(replies: Sequence[Reply]) -> ClockFit:
    """The device's beside ours."""
    first = replies[0].t_ms
    return fit([Reading(float(r.sent_us), float(r.heard.t_us), ((r.t_ms - first) % WRAP) * 1000.0) for r in replies])


def line_alone_us(replies: Sequence[Reply], rate: int) -> float:
    """How long the bytes of one exchange take, there and back; 0 without a rate."""
    count = sum(len(reply.request) + len(reply.text) + 2 * CRC_AND_END for reply in replies) / len(replies)
    return BITS_PER_BYTE * count / rate * 1e6 if rate else 0.0
