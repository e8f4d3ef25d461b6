"""The patient moves; somebody is still in the room; nobody pressed the search button."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from device_models.interface.volume import Pose
from device_models.patient.motion import Drift, Jump, Motion

from .altered import Altered, Settings, done

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

COUGH_S, S_PER_MIN = 1.5, 60.0


class Cough:
    """There and back again."""

    def __init__(self, begin_s: float, end_s: float, by: Pose) -> None:
        self.begin_s, self.end_s, self.by = begin_s, end_s, by

    def at(self, time_s: float) -> Pose:
        """Away only in between."""
        return self.by if self.begin_s <= time_s < self.end_s else Pose()


class Later:
    """A motion that begins at a moment of its own, and goes no farther than `most_s`."""

    def __init__(self, motion: Motion, begin_s: float, most_s: float) -> None:
        self.motion, self.begin_s, self.most_s = motion, begin_s, most_s

    def at(self, time_s: float) -> Pose:
        """Nothing before."""
        return self.motion.at(min(max(0.0, time_s - self.begin_s), self.most_s))


def motion_of(kind: str, amp_mm: float, v_mm_s: float, now_s: float) -> Motion:
    """Upwards for a cough and held breath, along the couch for a creep, all ways for somebody who sits up."""
    if kind == "cough":
        return Cough(now_s, now_s + COUGH_S, Pose((0.0, 0.0, amp_mm)))
    if kind == "sit_up":
        return Jump(now_s, Pose((0.0, -0.6 * amp_mm, 0.8 * amp_mm)))
    axis = (0.0, v_mm_s * S_PER_MIN, 0.0) if kind == "slow_drift" else (0.0, 0.0, v_mm_s * S_PER_MIN)
    return Later(Drift(0, axis), now_s, amp_mm / v_mm_s)


def patient_moves(sim: "Simulation", given: Settings) -> Altered:
    """The patient leaves his place by `amp_mm`; a creep at `v_mm_s`. Nobody lies there in sessions without a patient."""
    if sim.imager is None:
        return Altered()
    room, before = sim.imager, sim.imager.motions
    now_s = sim.engine.cycle * 0.01 - room.set_up_s()
    moves = motion_of(str(given["kind"]), float(given["amp_mm"]), float(given["v_mm_s"]), now_s)
    room.motions = (*before, moves)

    def back() -> None:
        room.motions = before

    return done(sim, back)


def no_search(sim: "Simulation", given: Settings) -> Altered:
    """The search button is not pressed; or the door is closed too late after it; or opened and closed once more."""
    hands, how, altered = sim.staff.hands, str(given["last_person_out"]), Altered()
    do, room = hands.do, sim.plant.room
    kept = int(room["search_cycles"][0])

    def perform(act: str) -> None:
        if act == "press_search" and how == "not_pressed":
            altered.mark(sim.engine.cycle + 1)
            return
        do(act)
        if act == "press_search":
            altered.mark(sim.engine.cycle + 1)

    def back() -> None:
        vars(hands).pop("do", None)
        room["search_cycles"] = kept

    if how == "skipped":
        do("open_door")
        sim.loop.call_later(0.5, do, "close_door")
        return done(sim)
    room["search_cycles"] = 1 if how == "timed_out" else kept
    hands.do = perform  # type: ignore[method-assign]
    altered.undo = back
    return altered


ALTERATIONS: dict[str, Callable[["Simulation", Settings], Altered]] = {"patient_moves": patient_moves, "no_search": no_search}
