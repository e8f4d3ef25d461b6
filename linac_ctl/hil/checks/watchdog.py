"""The device's watchdog: what feeds it, when it runs out, what it then does."""

from collections.abc import Callable

from device_models.interface.wire.framing import REQUEST, make

from ..bench import COMM, Bench
from ..client import Heard, named
from .latch import latched

WD_MS = 200
LATE_MS, EARLY_MS = 100, 20  # a device looks at its watchdog every cycle or so
FED_MS = 3 * WD_MS
WRAP = 2**32
NOISE = b"\xff\x00>01 HI*0000\r\nhello\r\n"


def watchdog(bench: Bench) -> None:
    """Fed by every valid request; silence of WD ms ends in COMM, which is told, counted and latched."""
    reply = bench.ask(f"WD {WD_MS}")
    bench.expect(reply.args == (str(WD_MS),), f"WD {WD_MS} is in force", reply.text)
    before = bench.counters()
    fed_by(bench, "refused requests", lambda: bench.ask("ZZ"))
    line = make(REQUEST, bench.client.sequence + 1, "ST")
    bench.client.sequence = (bench.client.sequence + 1) % 256
    fed_by(bench, "repeats", lambda: bench.client.send_line(line))
    ran_out(bench, lambda wait_ms: None)
    bench.expect((now := bench.state()) == COMM, "then the state is COMM", f"state {now}")
    grown = bench.counters()[5:6]
    bench.expect(grown == [before[5] + 1], "CN has counted it", f"{grown}")
    bench.ask("WD 10000")
    latched(bench, COMM)


def junk_does_not_feed(bench: Bench) -> None:
    """Invalid lines are nobody's sign of life."""
    bench.ask(f"WD {WD_MS}")
    ran_out(bench, lambda wait_ms: bench.keep_saying(wait_ms, lambda: bench.client.say(NOISE), WD_MS / 5))
    bench.expect((now := bench.state()) == COMM, "then the state is COMM", f"state {now}")


def fed_by(bench: Bench, what: str, say: Callable[[], object]) -> None:
    """Three times as long as the watchdog lasts."""
    bench.keep_saying(FED_MS, say, WD_MS / 4)
    told = [event.text for event in bench.client.events if named(event, "WDOG")]
    bench.every(f"{what} feed it: {FED_MS} ms without WDOG", told)


def ran_out(bench: Bench, meanwhile: Callable[[float], None]) -> None:
    """Event WDOG, at the right time by the device's own clock."""
    last = bench.ask("CN")
    meanwhile(WD_MS + 2.0 * LATE_MS)
    event = told(bench) or bench.client.wait_event("WDOG", WD_MS + 4.0 * LATE_MS)
    if not bench.expect(event is not None, f"{WD_MS} ms without a valid request end in an event WDOG") or event is None:
        return
    after_ms = (event.device_ms - last.t_ms) % WRAP
    in_time = WD_MS - EARLY_MS <= after_ms <= WD_MS + LATE_MS
    bench.expect(in_time, f"{WD_MS} ms after the last one, by its own clock", f"{after_ms} ms")
    bench.measure(f"watchdog of {WD_MS} ms ran out after", after_ms, "ms")


def told(bench: Bench) -> Heard | None:
    """The first WDOG among the events so far."""
    return next((event for event in bench.client.events if named(event, "WDOG")), None)
