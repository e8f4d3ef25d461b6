"""`TM`: readings that come by themselves, evenly, without loss, and stop when told."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from ..bench import Bench
from ..client import Heard

ASKED_MS, PERIODS = 50, 20
SLOWEST_MS = 1000  # slower than that is of no use to a controller
EVEN_SHARE = 0.3  # of a period: how far two samples may be off their distance
GRAIN_MS = 10
QUIET_MS = 300.0
WRAP = 2**32


def telemetry(bench: Bench) -> None:
    """The rate that it says, counters without a gap, also while requests are answered; as many readings as a status."""
    reply = bench.ask(f"TM {ASKED_MS}")
    period_ms = int(reply.args[0]) if reply.ok and reply.args and reply.args[0].isdigit() else 0
    if not bench.expect(ASKED_MS <= period_ms <= SLOWEST_MS, f"TM {ASKED_MS} is in force, or something slower", reply.text):
        return
    bench.expect((again := bench.ask("TM")).args == reply.args, "TM alone says the same", again.text)
    coming(bench, period_ms, "alone", lambda: bench.client.listen(PERIODS * period_ms))
    coming(bench, period_ms, "while requests are answered",
           lambda: bench.keep_saying(PERIODS * period_ms, lambda: bench.ask("ST"), period_ms / 10))
    bench.ask("TM 0")
    bench.client.forget()
    bench.client.listen(QUIET_MS)
    heard = bench.client.telemetry
    bench.expect(not heard, f"after TM 0 there is none for {QUIET_MS:g} ms", f"{len(heard)} lines")


def coming(bench: Bench, period_ms: int, when: str, meanwhile: Callable[[], None]) -> None:
    """Listen, and look at what came."""
    bench.client.forget()
    begin_us = bench.client.now_us()
    meanwhile()
    passed = (bench.client.now_us() - begin_us) / 1000.0 / period_ms
    heard = list(bench.client.telemetry)
    seen = f"{len(heard)} lines in {passed:.1f} periods"
    bench.expect(abs(len(heard) - passed) <= 2, f"one line every {period_ms} ms, {when}", seen)
    bench.every(f"its counter has no gap, {when}", gaps(heard))
    bench.every(f"samples are {period_ms} ms apart by its own clock, {when}", uneven(heard, period_ms))
    words = len(bench.ask("ST").args)
    odd = [line.text for line in heard if line.line.verb != "ST" or len(line.line.args) != words + 1]
    bench.every("it carries what a status does", odd)
    bench.measure(f"telemetry, {when}", len(heard) / passed / period_ms * 1000.0 if passed else 0.0, "Hz")


def gaps(heard: Sequence[Heard]) -> list[str]:
    """Counters that do not follow one another."""
    numbers = [line.line.sequence for line in heard]
    return [f"{then:02X} then {now:02X}" for then, now in pairwise(numbers) if now != (then + 1) % 256]


def uneven(heard: Sequence[Heard], period_ms: int) -> list[str]:
    """Samples too close or too far apart."""
    times, most_ms = [line.device_ms for line in heard], GRAIN_MS + EVEN_SHARE * period_ms
    apart = [(now - then) % WRAP for then, now in pairwise(times)]
    return [f"{ms} ms" for ms in apart if abs(ms - period_ms) > most_ms]
