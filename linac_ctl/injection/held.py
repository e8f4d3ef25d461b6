"""What faults have changed and not given back. Several may hold the same thing: it goes back when the last of them has gone."""

from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Holder:
    """One fault's hold of one thing; `value` None: it moves by and by, and nobody puts it anywhere."""

    value: float | None


@dataclass(slots=True)
class _Stack:
    """Everybody who holds one thing, the latest last, and what it was before all of them."""

    original: float
    holders: list[Holder] = field(default_factory=list)


class Held:
    """Things by any name: words of the machine, a process, a check."""

    def __init__(self) -> None:
        self._stacks: dict[Hashable, _Stack] = {}

    def take(self, thing: Hashable, now: float, value: float | None) -> Holder:
        """`now`: what it is at this moment, which counts if nobody holds it yet."""
        holder = Holder(value)
        self._stacks.setdefault(thing, _Stack(now)).holders.append(holder)
        return holder

    def release(self, thing: Hashable, holder: Holder) -> tuple[float | None, bool]:
        """-> (what it is to be now, or None to leave it; does nobody hold it any more?)"""
        stack = self._stacks[thing]
        latest = stack.holders[-1] is holder
        stack.holders.remove(holder)
        if not stack.holders:
            del self._stacks[thing]
            return stack.original, True
        return stack.holders[-1].value if latest else None, False
