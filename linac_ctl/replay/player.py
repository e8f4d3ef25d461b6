"""Runs an order again with everything that was done to it from outside, in the same cycles."""

from typing import Any

from ..app import Simulation
from ..live.intervention import Intervention
from ..order import Order


class Player(Simulation):
    """A simulation that keeps its rows in memory, and to which people do again what they did."""

    def __init__(self, order: Order, done: tuple[Intervention, ...] = (), **kw: Any) -> None:
        """`done`: in the order in which it was done."""
        super().__init__(order, **kw)
        self.keep_rows()
        self.to_do = list(done)

    def start(self) -> None:
        """What was done before the first event of all comes before it again."""
        super().start()
        while self.to_do and self.to_do[0].first:
            self.to_do.pop(0).carry_out(self)

    def step(self, cycles: int = 1) -> None:
        """As ever; what was done from outside in these cycles is done again where it was: between two cycles, all at rest."""
        end = self.engine.cycle + cycles
        if self.whole is None:
            self.start()
        while self.to_do and self.to_do[0].cycle <= end:
            super().step(self.to_do[0].cycle - self.engine.cycle)  # 0: what is due by now is done first
            self.to_do.pop(0).carry_out(self)
        super().step(end - self.engine.cycle)
