"""Limits are refused, not clipped; the device's own limits are those that it describes."""

from collections.abc import Callable

from ..bench import HOLD, IDLE, Bench, SkipError, flags_of, state_of
from ..client import Reply
from ..description import Axis
from .moves import switch_on

LARGEST_24 = 2**23 - 1
NO_AXES = "this device describes no axes"
LIMIT, STATE = 3, 4  # codes of refusals
Ask = Callable[[Axis, int], Reply]


def limits(bench: Bench) -> None:
    """Without drive power: what is outside is refused, for that or for the lack of power; what is inside only for the latter."""
    axes = bench.told.axes
    if not axes:
        raise SkipError(NO_AXES)
    before = bench.ask("ST")
    if not bench.expect(state_of(before) == IDLE, "RS has left the latched state", before.text):
        return
    outside = [(axis, value, bench.ask(f"MV {axis.number} {value}")) for axis in axes for value in beyond(axis)]
    bench.every("MV beyond a limit is refused with code 3, axis, low and high (or code 4: no power), every axis, both ends",
                [wrong for axis, value, reply in outside if reply.code != STATE and (wrong := wrong_refusal(axis, value, reply))])
    codes = sorted({reply.code for _, _, reply in outside})
    bench.expect(len(codes) == 1, "for the same reason every time", f"codes {', '.join(map(str, codes))}")
    inside = [(axis, value, bench.ask(f"MV {axis.number} {value}")) for axis in axes for value in (axis.low, axis.high)]
    bench.every("MV to the limit itself lacks nothing but power: code 4, every axis, both ends",
                [f"{axis.name} at {value}: {reply.text}" for axis, value, reply in inside if reply.code != STATE])
    after = bench.ask("ST")
    bench.expect(after.args[:2] == before.args[:2], "refusals change neither state nor flags",
                 f"{before.args[:2]}, then {after.args[:2]}")


def powered_limits(bench: Bench) -> None:
    """With drive power: `MV`, `MA` and `SV` beyond a limit do nothing at all; a move to the limit itself begins (and is halted)."""
    if not bench.told.axes:
        raise SkipError(NO_AXES)
    switch_on(bench)
    before = bench.ask("ST")
    for verb, ask in asks(bench).items():
        tries = [(axis, value) for axis in bench.told.axes for value in beyond(axis)]
        bench.every(f"{verb} beyond a limit is refused with code 3, axis, low and high, every axis, both ends",
                    [wrong for axis, value in tries if (wrong := wrong_refusal(axis, value, ask(axis, value)))])
    after = bench.ask("ST")
    bench.expect(state_of(after) == HOLD and flags_of(after) == flags_of(before), "the drives stood, and stand: state HOLD",
                 f"state {state_of(before)}, then {state_of(after)}")
    starts = [wrong for axis in bench.told.axes for value in (axis.low, axis.high) if (wrong := not_begun(bench, axis, value))]
    bench.every("MV to the limit itself is taken, every axis, both ends; HT ends it", starts)


def beyond(axis: Axis) -> tuple[int, ...]:
    """One more than is allowed at either end, and far too much."""
    return axis.low - 1, axis.high + 1, -LARGEST_24, LARGEST_24


def asks(bench: Bench) -> dict[str, Ask]:
    """The three ways to ask one axis for a value."""

    def one_of_all(axis: Axis, value: int) -> list[float]:
        targets = [float(target) for target in here]
        targets[axis.number] = float(value)
        return targets

    here = bench.here()
    return {
        "MV": lambda axis, value: bench.ask(f"MV {axis.number} {value}"),
        "MA": lambda axis, value: bench.ask(f"MA {bench.targets(one_of_all(axis, value))}"),
        "SV 1": lambda axis, value: bench.cyclic(1, one_of_all(axis, value)),
    }


def wrong_refusal(axis: Axis, value: int, reply: Reply) -> str:
    """"" if these are code, axis and limits."""
    wanted = {"axis": str(axis.number), "low": str(axis.low), "high": str(axis.high)}
    if reply.code != LIMIT or reply.args[1:2] != ("limit",):
        return f"{axis.name} at {value}: {reply.text[:60]}"
    missing = [f"{key}={word}" for key, word in wanted.items() if reply.keys().get(key) != word]
    return f"{axis.name} at {value}: no {' '.join(missing)} in {reply.text}" if missing else ""


def not_begun(bench: Bench, axis: Axis, value: int) -> str:
    """"" if the move is taken; halted at once."""
    reply = bench.ask(f"MV {axis.number} {value}")
    bench.ask("HT")
    return "" if reply.ok else f"{axis.name} at {value}: {reply.text}"
