"""Hands in the room and at the console: `operator.open_door()`. Each act is on record as of the one who is named."""

from collections.abc import Callable
from typing import Any

from ..live.intervention import act as intervention
from .moment import Moment
from .rig import Rig

BY_TEST = "test"  # why something was done


class Operator:
    """Every act of `device_models.hands` is a verb: open_door, close_door, press_stop, press_estop, press_search, ..."""

    def __init__(self, linac: Rig, who: str | None = None) -> None:
        """`who`: one of the session's people; the first therapist if nobody is named."""
        self._linac = linac
        staff = linac.sim.staff
        self.who = who or staff.with_role("therapist")[0]
        self.role = dict(staff.people).get(self.who, "")

    def acts(self) -> tuple[str, ...]:
        """Everything hands can do."""
        return tuple(self._linac.sim.staff.hands.acts())

    def do(self, act: str) -> Moment:
        """Now, between two cycles: the next one sees it. ValueError for what hands cannot do."""
        intervention(act, self.who, self.role, BY_TEST).carry_out(self._linac.sim)
        return self._linac.now()

    def __getattr__(self, act: str) -> Callable[[], Moment]:
        if act.startswith("_") or act not in self.acts():
            raise AttributeError(f"hands cannot {act!r}; they can {', '.join(self.acts())}")
        return lambda: self.do(act)

    def __dir__(self) -> list[Any]:
        return [*super().__dir__(), *self.acts()]
