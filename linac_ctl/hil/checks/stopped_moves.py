"""A stop byte, and a watchdog that runs out, in the middle of a move: at rest, without power, latched."""

from ..bench import COMM, STOP, Bench
from .latch import latched
from .moves import PATIENCE_MS, at_rest, chosen, goal_of, switch_on

WD_MS = 100


def stop_in_a_move(bench: Bench) -> None:
    """The byte alone; nothing goes on afterwards."""
    begin(bench)
    bench.client.say(b"\x18")
    stopped(bench, STOP)


def watchdog_in_a_move(bench: Bench) -> None:
    """Silence; nothing goes on when we are back."""
    bench.ask(f"WD {WD_MS}")
    begin(bench)
    bench.client.listen(5.0 * WD_MS)
    bench.ask("WD 10000")
    stopped(bench, COMM)


def begin(bench: Bench) -> None:
    """A small move."""
    axis = chosen(bench)[0]
    switch_on(bench)
    reply = bench.ask(f"MV {axis.number} {goal_of(bench, axis, bench.here()[axis.number])}")
    bench.expect(reply.ok, f"{axis.name}: MV is taken", reply.text)
    bench.client.listen(30.0)


def stopped(bench: Bench, state: int) -> None:
    """Whatever it was doing."""
    now = bench.wait_state(state, PATIENCE_MS)
    if bench.expect(now == state, f"the state is {state}", f"state {now}"):
        latched(bench, state)
        at_rest(bench, chosen(bench)[0], "afterwards")
