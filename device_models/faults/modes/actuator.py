"""Actuators: motors, brakes, triggers that do something else than they were told."""

from collections.abc import Mapping

from ..action import Action, Write
from .mode import Mode, Place, Range, Setting


def leaf_stuck(given: Mapping[str, Setting], place: Place) -> tuple[Action, ...]:
    """The motor of one leaf is dead; its sensors keep telling the truth."""
    return (Write(f"plant.mlc[{int(given['leaf'])}].moves", 0.0),)


MODES = (
    Mode("ACT-04", 1, "actuator", "mlc", "leaf_stuck", "one leaf does not move any more; its sensors tell the truth",
         ("setup", "beam_on"), "S4", ("MLC_POS",), ("beam_hold",), "time", leaf_stuck,
         {"leaf": Range(0, 119, 17, whole=True)}, max_detection_ms=100, max_reaction_ms=10, max_mu=1.3,
         limits=("mu_out_of_tol <= 0.5",), source="TG-142"),
)
