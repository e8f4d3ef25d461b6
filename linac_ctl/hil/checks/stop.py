"""The stop byte: anywhere, at any time, counted, latched."""

from ..bench import STOP, Bench
from ..vectors import vectors
from .latch import latched, out_of
from .published import run


def stop_byte(bench: Bench) -> None:
    """In lines, between them, in junk, twice; a line that it interrupts stays what it would have been."""
    for vector in (one for one in vectors("adversarial", "typed") if one.stops):
        run(bench, [vector])
        bench.expect((now := bench.state()) == STOP, f"after {vector.name} the state is STOP", f"state {now}")
        bench.reset()
    bench.client.say(b"\x18")
    bench.expect(bench.wait_state(STOP, 500.0) == STOP, "a stop byte alone: state STOP")
    latched(bench, STOP)
    bench.ask("EN 1")
    bench.client.say(b"\x18")
    bench.expect(bench.wait_state(STOP, 500.0) == STOP, "with drive power on: state STOP")
    out_of(bench)
