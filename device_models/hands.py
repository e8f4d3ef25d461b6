"""What people do with their hands in the room and at the console: writes to the room's truth, nothing else."""

from collections.abc import Callable
from typing import Any

ROOM_ACTS: dict[str, tuple[str, float]] = {
    "open_door": ("door_closed", 0.0), "close_door": ("door_closed", 1.0), "press_search": ("search_pressed", 1.0),
    "hold_bar": ("motion_enable", 1.0), "release_bar": ("motion_enable", 0.0),
    "press_estop": ("estop_ok", 0.0), "release_estop": ("estop_ok", 1.0),
    "touch_guard": ("touchguard_ok", 0.0), "free_guard": ("touchguard_ok", 1.0),
    "key_on": ("key_on", 1.0), "key_off": ("key_on", 0.0),
    "patient_on_couch": ("patient_present", 1.0), "patient_off_couch": ("patient_present", 0.0),
    "service_mode_on": ("service_mode", 1.0), "service_mode_off": ("service_mode", 0.0),
    "fit_bypass": ("bypass", 1.0), "remove_bypass": ("bypass", 0.0),
}


class Hands:
    """Acts by name. `stop` is the console's stop button, which is a wire to the controller and not a thing in the room."""

    def __init__(self, plant: Any, stop: Callable[[], None]) -> None:
        self._room, self._stop = plant.room, stop

    def acts(self) -> tuple[str, ...]:
        """Everything hands can do."""
        return (*ROOM_ACTS, "press_stop")

    def do(self, act: str) -> None:
        """Do it now; ValueError for an act that does not exist."""
        if act == "press_stop":
            self._stop()
            return
        if act not in ROOM_ACTS:
            raise ValueError(f"hands cannot {act!r}; they can {', '.join(self.acts())}")
        field, value = ROOM_ACTS[act]
        self._room[field] = value
