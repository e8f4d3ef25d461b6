"""From a wire to the permit: what each reading does just inside and just outside, through the whole cycle (K4).

A trip takes the permit off the wire in the scan that saw it, before any Python hears of it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from device_models.interface.heartbeat import REFUSAL
from device_models.interface.image import ALL_TESTED, DT_S, Node, SafetyOpen
from linac_ctl.control.phases import Phase, Reaction
from linac_ctl.control.signals import Guard, Signal
from linac_ctl.interlocks.table import phase_bits, reaction_bits
from tests.control.rig import Rig, table
from tests.support import small_arc

ROWS = {row.id: row for row in table().rows}
NAN = float("nan")
BLOCKS_BEAM = int(Reaction.BEAM_HOLD | Reaction.BEAM_OFF | Reaction.PREVENT_START)
Spoiler = Callable[[Rig, float], None]


def axis(device: str, at: int, field: str = "readback") -> Spoiler:
    """This encoder says so much more than was asked; the other one of a pair may follow."""
    def spoil(rig: Rig, far: float) -> None:
        wires = getattr(rig.image, device)
        rig.spoiled.append(lambda: wires[field].__setitem__(at, wires["setpoint"][at] + far + rig.tremble))
    return spoil


def both(device: str, at: int) -> Spoiler:
    """The axis really is somewhere else: both encoders agree, and it has been there."""
    def spoil(rig: Rig, far: float) -> None:
        aims, place = getattr(rig.control, device), getattr(rig.image, device)["setpoint"][at] + far
        aims["seen"][at] = aims["seen_2"][at] = place
        axis(device, at)(rig, far)
        axis(device, at, "readback_2")(rig, far)
    return spoil


def goes(device: str, at: int) -> Spoiler:
    """The axis has gone so far by itself in one cycle, and both encoders agree."""
    def spoil(rig: Rig, far: float) -> None:
        axis(device, at)(rig, far)
        axis(device, at, "readback_2")(rig, far)
    return spoil


def wire(part: str, field: str, at: Any = 0) -> Spoiler:
    """A wire with this value."""
    return lambda rig, value: rig.spoil(part, field, value, at)


def target(rig: Rig, off_mm: float) -> None:
    """Triggered images that show the target so far off; the protocol has no patience."""
    rig.job["target_watched"], rig.job["target_limit_mm"], rig.job["target_longest_s"] = 1.0, 1.5, 40.0
    rig.job["target_off_mm"], rig.job["target_cycle"] = off_mm, rig.job["cycle"]


def target_age(rig: Rig, age_s: float) -> None:
    """The last of them was so long ago."""
    target(rig, 0.0)
    rig.job["target_cycle"] = rig.job["cycle"] - round(age_s / DT_S) + 3  # the rig goes on meanwhile


def watched_skin(rig: Rig) -> None:
    """An approval in force and a monitor that answers in every cycle."""
    rig.job["surface_watched"], rig.job["surface_limit_mm"], rig.job["surface_excursion_mm"] = 1.0, 2.5, 5.0
    rig.job["surface_reference_mm"], rig.job["token_cycle"] = 1.0, rig.job["cycle"]
    rig.spoiled.append(lambda: rig.image.room["surface_cycle"].__setitem__(0, rig.job["cycle"][0]))


def skin(at: int) -> Spoiler:
    """A skin that is so far from where it was approved."""
    def spoil(rig: Rig, off_mm: float) -> None:
        watched_skin(rig)
        rig.spoiled.append(lambda: rig.image.room["surface_mm"][0].__setitem__(at, 1.0 + off_mm))
    return spoil


def skin_age(rig: Rig, age_s: float) -> None:
    """A monitor whose news is so old."""
    watched_skin(rig)
    rig.spoiled.append(lambda: rig.image.room["surface_cycle"].__setitem__(0, rig.job["cycle"][0] - round(age_s / DT_S)))


def chest(rig: Rig, breath_mm: float) -> None:
    """A chest so high, and a gate."""
    rig.job["gate_mm"] = 3.0
    rig.spoil("room", "breath_mm", breath_mm, 0)


def exposed(rig: Rig, times: float) -> None:
    """Exposures that nobody asked for."""
    rig.spoil("room", "kv_exposures", times, 0)


def guard(name: Guard) -> Spoiler:
    """An answer of the event side."""
    return lambda rig, value: rig.guard(name, value)


def job(field: str) -> Spoiler:
    """A field of the controller's own memory."""
    return lambda rig, value: rig.job.__setitem__(field, value)


def ahead(field: str, of: str) -> Spoiler:
    """A counter that is so much ahead of another one."""
    return lambda rig, far: rig.spoiled.append(lambda: rig.image.beam[field].__setitem__(0, rig.image.beam[of][0] + far))


def third_ahead(rig: Rig, far: float) -> None:
    """The second channel's own chamber is so much ahead of chamber 1."""
    rig.spoiled.append(lambda: rig.image.safety["mu_backup"].__setitem__(0, rig.image.beam["mu_1"][0] + far))


def from_the_future(rig: Rig, cycles: float) -> None:
    """Every node's readings were taken so long after now."""
    rig.answer_age = -int(cycles)


def not_asked_for(node: int) -> Spoiler:
    """A node has drive power, or has none, and nobody asks for any."""
    def spoil(rig: Rig, powered: float) -> None:
        rig.spoiled.append(lambda: rig.image.nodes["enable"].__setitem__(node, 0.0))
        rig.spoil("nodes", "powered", powered, node)
    return spoil


def door_closes(rig: Rig, contacts: float) -> None:
    """The last person comes out; before that, those contacts (bits) have said open."""
    for i in range(2):
        rig.job["door_open_cycle"][0, i] = rig.job["cycle"][0] if int(contacts) & 1 << i else -1000
    rig.job["person_out"] = 0


def fall(field: str) -> Spoiler:
    """A counter that falls by so much, once."""
    def spoil(rig: Rig, far: float) -> None:
        last = float(rig.image.beam[field][0])
        rig.spoil("beam", field, last - far)
    return spoil


def skew(rig: Rig, far: float) -> None:
    """Quadrants that are not symmetrical by so much."""
    rig.spoil("beam", "quadrants", [1.0 + far, 1.0 - far, 1.0, 1.0], 0)


def timer(rig: Rig, far: float) -> None:
    """The channel's timer is so much ahead, and was before this permit."""
    rig.job["timer_ahead_s"] = far
    timer_goes_on(rig, far)


def timer_goes_on(rig: Rig, far: float) -> None:
    """The channel's timer gets so much ahead under this permit."""
    rig.spoiled.append(lambda: rig.image.safety["beam_s"].__setitem__(0, rig.job["beam_s"][0] + far))


def echo(field: str, sent: str) -> Spoiler:
    """The channel has other limits in force than were sent."""
    return lambda rig, far: rig.spoiled.append(
        lambda: rig.image.safety[field].__setitem__(0, rig.image.safety[sent][0] + far))


def approved(at: int) -> Spoiler:
    """The couch stands so far from where the position was approved."""
    def spoil(rig: Rig, far: float) -> None:
        rig.job["token_needed"], rig.job["token_cycle"] = 1.0, rig.job["cycle"]
        rig.job["token_couch"] = rig.image.couch["readback"]
        rig.job["token_couch"][0, at] += far
    return spoil


def images_age(rig: Rig, age_s: float) -> None:
    """The images of the approval were taken so long ago."""
    approved(0)(rig, 0.0)
    rig.job["token_cycle"] = 0
    rig.job["cycle"] = round(age_s / DT_S) - 1  # this much in the next cycle


def live(name: str, index: int) -> Spoiler:
    """A live parameter at so many half bands from its middle."""
    return lambda rig, far: rig.spoil("beam", name, rig.control.param["live_middle"][0][index]
                                      + far / rig.control.param["live_per_half"][0][index])


def rate(rig: Rig, share: float) -> None:
    """Chamber 1 sees this share of the highest rate."""
    rig.spoil("beam", "rate_1_mu_per_s", share * rig.job["max_rate_mu_per_s"][0])


def pulse_size(rig: Rig, share: float) -> None:
    """A pulse of this many nominal ones."""
    rig.spoil("beam", "pulse_mu", share * rig.job["pulse_mu"][0])


def short(rig: Rig, share: float) -> None:
    """Chamber 1 misses this share of what was asked."""
    rig.spoil("beam", "rate_1_mu_per_s", (1.0 - share) * rig.job["rate_mean_mu_per_s"][0])


def missed(rig: Rig, each: float) -> None:
    """So many arcs in this cycle."""
    rig.image.beam["missed_pulses"] += int(each)


def age(rig: Rig, cycles: float) -> None:
    """Every node's readings are so old."""
    rig.answer_age = int(cycles)


def past_the_end(rig: Rig, far: float) -> None:
    """The field is over by so much, and still in hand."""
    rig.job["half_pulse_mu"] = -100.0  # so that the end of the field does not come first
    rig.job["mu_end"] = rig.job["preset_mu"] = rig.image.beam["mu_1"][0] - far
    rig.spoil("beam", "mu_1", rig.image.beam["mu_1"][0])
    rig.spoil("beam", "mu_2", rig.image.beam["mu_2"][0])


def beam_time(rig: Rig, over_s: float) -> None:
    """The field has had so much more beam-on time than it may."""
    rig.spoiled.append(lambda: rig.job.__setitem__("longest_s", rig.job["flowing_s"] - over_s))


# id, how, inside, outside, phase
CASES: list[tuple[str, Spoiler, float, float, Phase]] = [
    ("MU2_TERM", wire("safety", "open"), 0, SafetyOpen.DOSE, Phase.BEAM),
    ("DOSE_TIMER", wire("safety", "open"), 0, SafetyOpen.TIMER, Phase.BEAM),
    ("WDG", wire("safety", "open"), 0, SafetyOpen.HEARTBEAT, Phase.BEAM),
    ("DOOR", wire("room", "door_closed"), 1.0, 0.999, Phase.BEAM),
    ("DOOR", wire("room", "door_closed_2"), 1.0, 0.0, Phase.BEAM),
    ("DOOR_CHAIN", wire("safety", "open"), SafetyOpen.LIMITS, SafetyOpen.DOOR, Phase.BEAM),
    ("DOOR_OPEN", wire("room", "door_closed"), 1.0, 0.0, Phase.READY),
    ("DOOR_DIS", wire("room", "door_closed_2"), 1.0, 0.0, Phase.IDLE),
    ("ESTOP", wire("room", "estop_ok"), 1.0, 0.0, Phase.IDLE),
    ("ESTOP_CHAIN", wire("safety", "open"), SafetyOpen.DOOR, SafetyOpen.ESTOP, Phase.BEAM),
    ("TOUCHGUARD", wire("room", "touchguard_ok"), 1.0, 0.0, Phase.MOVE),
    ("TOUCHGUARD", wire("room", "touchguard_ok_2"), 1.0, 0.0, Phase.BEAM),
    ("TOUCH_DIS", wire("room", "touchguard_ok_2"), 1.0, 0.0, Phase.IDLE),
    ("POWER", wire("room", "mains_ok"), 1.0, 0.0, Phase.BEAM),
    ("PERMIT_WELD", wire("safety", "open"), 0, SafetyOpen.LIMITS, Phase.IDLE),
    ("PERMIT_WELD", wire("safety", "testing"), 0.5, 1.0, Phase.MOVE),
    ("FIELD_TIME", beam_time, -0.001, 0.001, Phase.BEAM),
    ("FIELD_TIME", beam_time, -5.0, NAN, Phase.BEAM),
    ("MODE_MOVED", wire("beam", "mode_sensed"), 0, -1, Phase.IDLE),
    ("MODE_MOVED", wire("beam", "mode_sensed"), 0, 1, Phase.MOVE),
    ("GUARD_TEST", job("guards_tested"), 1.0, 0.999, Phase.MOVE),
    ("GUARD_TEST", job("guards_tested"), 1.0, NAN, Phase.READY),
    ("PERMIT_READY", wire("safety", "permit"), 1.0, 0.0, Phase.READY),
    ("LIMITS_LOADED", wire("safety", "open"), SafetyOpen.DOOR, SafetyOpen.LIMITS, Phase.READY),
    ("MU_DIS", ahead("mu_2", "mu_1"), 0.999, 1.001, Phase.READY),
    ("MU_DIS", ahead("mu_1", "mu_2"), 0.999, 1.001, Phase.READY),
    ("MU_DIS", third_ahead, 0.999, 1.001, Phase.BEAM),
    ("MU_DIS", third_ahead, -0.999, -1.001, Phase.READY),
    ("MU_DIS", third_ahead, 0.0, NAN, Phase.BEAM),
    ("MU_MONO", fall("mu_1"), 0.019, 0.021, Phase.BEAM),
    ("MU_MONO", fall("mu_2"), 0.019, 0.021, Phase.BEAM),
    ("MU1_LATE", past_the_end, 0.499, 0.501, Phase.BEAM),
    ("DOSE_RATE_HI", rate, 1.199, 1.201, Phase.BEAM),
    ("DOSE_PER_PULSE", pulse_size, 1.499, 1.501, Phase.BEAM),
    ("DOSE_RATE_LO", short, 0.09, 0.11, Phase.BEAM),
    ("RF_ARC", missed, 5, 6, Phase.BEAM),
    ("DOSE_SYM", skew, 0.0199, 0.0201, Phase.BEAM),
    ("DOSE_HV", wire("beam", "chamber_hv_1_v"), 285.01, 284.9, Phase.BEAM),
    ("DOSE_HV", wire("beam", "chamber_hv_2_v"), 314.99, 315.1, Phase.READY),
    ("TIMER_DIS", timer, 0.999, 1.001, Phase.BEAM),
    ("TIMER_DIS", timer, -0.999, -1.001, Phase.BEAM),
    ("TIMER_SLOW", timer_goes_on, 0.024, 0.026, Phase.BEAM),
    ("TIMER_SLOW", timer_goes_on, -0.024, -0.026, Phase.BEAM),
    ("TIMER_SLOW", timer_goes_on, 0.0, NAN, Phase.BEAM),
    ("ECHO_MISMATCH", echo("preset_echo_mu", "preset_mu"), 0.0, 0.00001, Phase.READY),
    ("ECHO_MISMATCH", echo("time_limit_echo_s", "time_limit_s"), 0.0, -0.00001, Phase.BEAM),
    ("DOSE_SELFTEST", wire("safety", "passed"), ALL_TESTED & ~SafetyOpen.DOOR, ALL_TESTED & ~SafetyOpen.DOSE, Phase.READY),
    ("DOSE_SELFTEST", wire("safety", "passed"), ALL_TESTED & ~SafetyOpen.LIMITS, ALL_TESTED & ~SafetyOpen.TIMER, Phase.READY),
    *[("SELFTEST", wire("safety", "passed"), ALL_TESTED, ALL_TESTED & ~bit, Phase.READY) for bit in SafetyOpen],
    ("MODE", wire("beam", "mode_sensed"), 0, -1, Phase.BEAM),
    ("MODE", wire("beam", "mode_sensed"), 0, 1, Phase.READY),
    ("ENERGY", wire("beam", "energy_ratio"), 0.971, 0.969, Phase.BEAM),
    ("ENERGY", wire("beam", "energy_ratio"), 1.029, 1.031, Phase.READY),
    ("ACC", wire("beam", "accessory"), 0, 1, Phase.READY),
    *[("UTIL", live(name, i), 0.999, 1.001, Phase.BEAM) for i, name in enumerate((
        "gun_hv_kv", "gun_current_a", "pfn_kv", "afc_error_v", "rf_driver_v", "vacuum_ua", "gas_psi", "water_c"))],
    ("UTIL_WATER", wire("beam", "water_level_ok"), 1.0, 0.499, Phase.BEAM),
    ("HV_READY", wire("beam", "hv_on"), 1.0, 0.0, Phase.READY),
    ("GANTRY_POS", both("gantry", 0), 0.999, 1.001, Phase.BEAM),
    ("GANTRY_POS", both("gantry", 0), -0.999, -1.001, Phase.BEAM),
    ("GANTRY_LAG", both("gantry", 0), 0.799, 0.801, Phase.BEAM),
    ("GANTRY_LAG", both("gantry", 0), -0.799, -0.801, Phase.BEAM),
    *[("GANTRY_RUN", both("gantry", 0), 2.499, 2.501, phase) for phase in (Phase.IDLE, Phase.READY, Phase.BEAM)],
    *[("COLL_RUN", both("collimator", 0), 2.499, 2.501, phase) for phase in (Phase.IDLE, Phase.READY, Phase.BEAM)],
    *[("JAW_RUN", both("jaws", i), 3.999, 4.001, phase) for i, phase in ((0, Phase.IDLE), (1, Phase.READY), (3, Phase.BEAM))],
    ("MLC_LAG", both("mlc", 0), 1.499, 1.501, Phase.BEAM),
    ("MLC_LAG", both("mlc", 19), -1.499, -1.501, Phase.BEAM),
    *[("COUCH_LAG", both("couch", i), 0.999, 1.001, Phase.MOVE) for i in range(3)],
    *[("COUCH_STRAY", both("couch", i), 1.199, 1.201, Phase.MOVE) for i in range(3)],
    ("COUCH_STRAY", both("couch", 2), -1.199, -1.201, Phase.MOVE),
    ("COUCH_STRAY", both("couch", 2), 0.0, NAN, Phase.MOVE),
    *[("COUCH_LAG_ANGLE", both("couch", i), 0.499, 0.501, Phase.MOVE) for i in range(3, 6)],
    *[("COUCH_RUN", both("couch", i), 3.999, 4.001, Phase.IDLE) for i in range(3)],
    *[("COUCH_RUN_ANGLE", both("couch", i), 0.999, 1.001, Phase.IDLE) for i in range(3, 6)],
    ("GANTRY_DIS", axis("gantry", 0, "readback_2"), 0.499, 0.501, Phase.IDLE),
    ("COLL_POS", both("collimator", 0), 0.499, 0.501, Phase.READY),
    ("COLL_DIS", axis("collimator", 0, "readback_2"), -0.499, -0.501, Phase.IDLE),
    *[("JAW_POS", both("jaws", i), 0.999, 1.001, Phase.BEAM) for i in range(4)],
    ("JAW_DIS", axis("jaws", 3, "readback_2"), 0.999, 1.001, Phase.MOVE),
    ("MLC_POS", both("mlc", 0), 1.999, 2.001, Phase.BEAM),
    ("MLC_POS", both("mlc", 19), -1.999, -2.001, Phase.BEAM),
    ("MLC_OFF", both("mlc", 7), 4.999, 5.001, Phase.BEAM),
    ("MLC_DIS", axis("mlc", 19, "readback_2"), 0.999, 1.001, Phase.READY),
    ("MLC_INIT", wire("nodes", "calibrated", 3), 1.0, 0.0, Phase.READY),
    ("CARRIAGE_DIS", axis("carriages", 1, "readback_2"), 1.999, 2.001, Phase.IDLE),
    *[("CALIBRATED", wire("nodes", "calibrated", i), 1.0, 0.0, Phase.READY) for i in range(8)],
    *[("COUCH_POS", both("couch", i), 0.999, 1.001, Phase.BEAM) for i in range(3)],
    *[("COUCH_ANGLE", both("couch", i), 0.499, 0.501, Phase.BEAM) for i in range(3, 6)],
    *[("COUCH_DIS", axis("couch", i, "readback_2"), 1.999, 2.001, Phase.IDLE) for i in range(3)],
    *[("COUCH_DIS_ANGLE", axis("couch", i, "readback_2"), 0.499, 0.501, Phase.IDLE) for i in range(3, 6)],
    ("DATA_RANGE", wire("gantry", "readback"), 186.9, 187.1, Phase.IDLE),
    *[("GANTRY_LOOSE", goes("gantry", 0), 0.299, far, phase)
      for far, phase in ((0.301, Phase.IDLE), (-0.301, Phase.READY), (0.301, Phase.BEAM), (NAN, Phase.MOVE))],
    *[("COLL_LOOSE", goes("collimator", 0), -0.299, far, phase)
      for far, phase in ((0.301, Phase.IDLE), (-0.301, Phase.READY), (0.301, Phase.BEAM), (NAN, Phase.MOVE))],
    *[("JAW_LOOSE", goes("jaws", i), 0.699, far, Phase.IDLE) for i in range(4) for far in (0.701, -0.701, NAN)],
    *[("MLC_LOOSE", goes("mlc", i), 1.299, far, Phase.BEAM) for i in (0, 7, 19) for far in (1.301, -1.301, NAN)],
    *[("CARRIAGE_LOOSE", goes("carriages", i), 1.299, far, Phase.IDLE) for i in (0, 1) for far in (1.301, -1.301, NAN)],
    *[("COUCH_LOOSE", goes("couch", i), 0.699, far, Phase.MOVE) for i in range(3) for far in (0.701, -0.701, NAN)],
    *[("COUCH_LOOSE_ANGLE", goes("couch", i), 0.349, far, Phase.MOVE) for i in range(3, 6) for far in (0.351, -0.351, NAN)],
    ("DATA_RANGE", wire("mlc", "readback", 0), 201.9, 202.1, Phase.IDLE),
    ("DATA_RANGE", wire("mlc", "readback", 10), -201.9, -202.1, Phase.IDLE),  # bank B is mirrored
    ("DATA_RANGE", wire("mlc", "readback", 10), 151.9, 152.1, Phase.IDLE),
    ("DATA_RANGE", wire("couch", "readback", 0), -251.9, -252.1, Phase.IDLE),
    ("DATA_RANGE", wire("couch", "readback", 5), 4.9, 5.1, Phase.IDLE),
    *[("NODE_NAME", wire("nodes", "named", i), i, other, Phase.MOVE) for i, other in ((0, 1), (1, 0), (5, -1), (10, 9))],
    ("NODE_NAME", wire("nodes", "named", 0), 0, 1, Phase.BEAM),
    ("DATA_STALE", age, 2, 3, Phase.BEAM),
    ("DATA_STALE", age, 2, 3, Phase.IDLE),
    ("DATA_STALE", age, 2, 3, Phase.MOVE),
    ("DATA_LOST", age, 9, 10, Phase.IDLE),
    ("DATA_STALE", from_the_future, 2, 3, Phase.BEAM),
    ("DATA_LOST", from_the_future, 9, 10, Phase.IDLE),
    *[("DRIVE_PLAUS", not_asked_for(i), 0.0, 1.0, Phase.IDLE) for i in range(8)],
    *[("DRIVE_PLAUS", wire("nodes", "powered", i), 1.0, 0.0, Phase.IDLE) for i in range(8)],
    ("COLLISION", wire("room", "clearance_mm"), 20.0, 19.9, Phase.MOVE),
    ("EFFECT_MISMATCH", both("gantry", 0), 1.999, 2.001, Phase.MOVE),
    ("EFFECT_MISMATCH", both("jaws", 1), 1.999, 2.001, Phase.MOVE),
    ("EFFECT_MISMATCH", both("mlc", 1), 3.999, 4.001, Phase.MOVE),
    ("LAST_OUT", wire("room", "last_person_out"), 1.0, 0.0, Phase.READY),
    ("INPUT_DIS", wire("room", "motion_enable_2"), 1.0, 0.0, Phase.IDLE),
    ("KEY", wire("room", "key_on"), 1.0, 0.0, Phase.BEAM),
    ("START_GUARD", guard(Guard.START), 1.0, 0.0, Phase.BEAM),
    ("ROOM_MON", wire("room", "room_monitor_ok"), 1.0, 0.0, Phase.BEAM),
    ("SERVICE_MODE", wire("room", "service_mode"), 0.0, 1.0, Phase.READY),
    ("BYPASS", wire("room", "bypass"), 0.0, 1.0, Phase.READY),
    ("ABORT", guard(Guard.NOT_ABORTED), 1.0, 0.0, Phase.BEAM),
    ("PLAN_BIND", guard(Guard.PLAN_BIND), 1.0, 0.0, Phase.READY),
    ("PLAN_FEAS", guard(Guard.PLAN_FEASIBLE), 1.0, 0.0, Phase.READY),
    ("PLAN_INTEGRITY", guard(Guard.PLAN_INTEGRITY), 1.0, 0.0, Phase.BEAM),
    ("RX_RANGE", guard(Guard.PRESCRIPTION_RANGE), 1.0, 0.0, Phase.READY),
    ("PATIENT_ID", guard(Guard.PATIENT_ID), 1.0, 0.0, Phase.READY),
    ("PATIENT_ORIENT", guard(Guard.PATIENT_ORIENTATION), 1.0, 0.0, Phase.READY),
    ("FRACTION", guard(Guard.FRACTION), 1.0, 0.0, Phase.READY),
    ("CFG_INTEGRITY", guard(Guard.CONFIG_INTEGRITY), 1.0, 0.0, Phase.READY),
    ("RECOVERY", guard(Guard.RECOVERY), 1.0, 0.0, Phase.READY),
    ("RESUME_LIMIT", guard(Guard.RESUME), 1.0, 0.0, Phase.READY),
    ("LOG_FAIL", guard(Guard.RECORD), 1.0, 0.0, Phase.READY),
    ("LOG_LOST", guard(Guard.RECORD), 1.0, 0.0, Phase.BEAM),
    ("POS_UNVERIFIED", guard(Guard.POSITION_APPROVED), 1.0, 0.0, Phase.READY),
    ("POS_UNVERIFIED", guard(Guard.POSITION_APPROVED), 1.0, NAN, Phase.BEAM),
    *[("POS_CHANGED", approved(i), 0.999, 1.001, Phase.BEAM) for i in range(3)],
    *[("POS_CHANGED", approved(i), -0.999, -1.001, Phase.IDLE) for i in range(3)],
    *[("POS_TURNED", approved(i), 0.499, 0.501, Phase.READY) for i in range(3, 6)],
    *[("POS_TURNED", approved(i), 0.499, NAN, Phase.BEAM) for i in range(3, 6)],
    ("IMG_STALE", images_age, 899.9, 900.1, Phase.READY),
    ("PATIENT_MOTION", target, 1.5, 1.501, Phase.BEAM),
    ("PATIENT_MOTION", target, 0.0, NAN, Phase.BEAM),  # not found
    ("TARGET_UNSEEN", target_age, 39.9, 40.1, Phase.BEAM),
    *[("SURF_MOTION", skin(i), 2.499, 2.501, Phase.BEAM) for i in range(3)],
    *[("SURF_MOTION", skin(i), 0.0, NAN, Phase.BEAM) for i in range(3)],
    ("SURF_STALE", skin_age, 0.499, 0.52, Phase.BEAM),
    ("GATE", chest, 3.0, 3.001, Phase.BEAM),
    ("GATE", chest, 0.0, NAN, Phase.BEAM),
    ("KV_MV_EXCL", exposed, 0, 1, Phase.READY),
    ("KV_MV_EXCL", exposed, 0, 1, Phase.BEAM),
    ("APPROVAL_BIND", guard(Guard.APPROVAL_BIND), 1.0, 0.0, Phase.READY),
    ("IMG_BIND", guard(Guard.IMAGE_BIND), 1.0, 0.0, Phase.READY),
    ("SHIFT_RANGE", guard(Guard.SHIFT_RANGE), 1.0, 0.0, Phase.READY),
    ("REG_QUALITY", guard(Guard.REG_QUALITY), 1.0, 0.0, Phase.READY),
    ("IMG_QUALITY", guard(Guard.IMG_QUALITY), 1.0, 0.0, Phase.READY),
    ("RX_HASH", job("prescription"), 0, 1, Phase.BEAM),
    ("RX_CHANGED", job("prescription"), 0, 1, Phase.READY),
    ("SESSION_ID", job("session"), 0, 1, Phase.BEAM),
    ("TASK_ALIVE", guard(Guard.TASK_ALIVE), 1.0, 0.0, Phase.BEAM),
    ("TRANSITION_TIMEOUT", guard(Guard.TRANSITION), 1.0, 0.0, Phase.BEAM),
    ("CYCLE_OVERRUN", guard(Guard.OVERRUN_STREAK), 2.0, 3.0, Phase.BEAM),
    ("LINK_DOWN", guard(Guard.LINK_UP), 1.0, 0.0, Phase.IDLE),
    ("LINK_ID", guard(Guard.LINK_IDENTIFIED), 1.0, 0.0, Phase.IDLE),
    ("LINK_LOST", guard(Guard.LINK_SILENT_CYCLES), 2.0, 3.0, Phase.BEAM),
    ("LINK_OUT", guard(Guard.LINK_SILENT_CYCLES), 9.0, 10.0, Phase.IDLE),
    ("LINK_CRC", guard(Guard.LINK_BAD_FRAMES), 2.0, 3.0, Phase.BEAM),
    ("LINK_SEQ", guard(Guard.LINK_OLD), 0.0, 1.0, Phase.IDLE),
    ("LINK_TWICE", guard(Guard.LINK_REPEATED), 2.0, 3.0, Phase.READY),
    ("LINK_LATENCY", guard(Guard.LINK_LATENCY_MS), 15.0, 15.1, Phase.READY),
    ("PULSE_HIGH", pulse_size, 1.099, 1.101, Phase.BEAM),
    ("PULSE_LOW", pulse_size, 0.901, 0.899, Phase.BEAM),
    *[("DOOR_CYCLE", door_closes, 3, contacts, Phase.READY) for contacts in (0, 1, 2)],
    ("CLOCK", guard(Guard.CLOCK_STEP_S), 0.5, 0.51, Phase.BEAM),
]
IDS = [f"{case[0]}-{i}" for i, case in enumerate(CASES)]
ELSEWHERE = {  # rows whose signal is made of more than one cycle: tests below, and tests of `measure`
    "BEAM_STUCK", "RAD_WHEN_OFF", "PERMIT_DIS", "RATE_PLAUS", "GANTRY_SPD", "COUCH_SPD", "MLC_RMS", "MLC_SPD", "MU_ANGLE",
    "ANGLE_BEHIND", "MOTION_EN", "EVAL_COUNT", "EVAL_WATCH", "LATCH_DIS", "STATE_ILLEGAL", "TRIP_LATENCY", "KV_POS", "KV_RUN",
    "KV_DIS", "MV_POS", "KV_LOOSE", "MV_LOOSE", "GANTRY_STILL",
}


def started(phase: Phase) -> Rig:
    """A healthy machine in this phase."""
    rig = Rig()
    if phase is Phase.BEAM:
        rig.beam(cycles=45)  # 16 MU of 300, steady
    elif phase is Phase.READY:
        rig.ready()
    else:
        rig.enter(phase)
        rig.cycle(2)
    assert rig.tripped() == []
    return rig


def test_every_row_is_tried_through_its_wires() -> None:
    assert {case[0] for case in CASES} | ELSEWHERE == set(ROWS)
    assert not {case[0] for case in CASES} & ELSEWHERE


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.MOVE, Phase.READY, Phase.BEAM])
def test_a_healthy_machine_trips_nothing(phase: Phase) -> None:
    rig = started(phase)
    rig.cycle(250)
    assert rig.tripped() == []
    assert rig.phase is phase and rig.permit == (1.0 if phase is Phase.BEAM else 0.0)


@pytest.mark.parametrize(("name", "spoil", "inside", "outside", "phase"), CASES, ids=IDS)
def test_a_reading_just_inside_its_limit_trips_nothing_and_just_outside_trips_its_row(
        name: str, spoil: Spoiler, inside: float, outside: float, phase: Phase) -> None:
    rig = started(phase)
    spoil(rig, inside)
    patience = 80 if name == "DOSE_SYM" else ROWS[name].debounce + 2  # a mean of 0.1 s has to get there
    rig.cycle(patience)
    assert name not in rig.tripped()
    rig = started(phase)
    spoil(rig, outside)
    for _ in range(patience + 1):
        before = rig.permit
        rig.cycle()
        if name in rig.tripped():
            break
    assert name in rig.tripped()
    if reaction_bits(table().reactions(ROWS[name])) & BLOCKS_BEAM:
        assert rig.permit == 0.0 and rig.job["permit"][0] == 0 and rig.image.beam["rate_mu_per_s"][0] == 0.0
        others = [other for other in rig.tripped() if ROWS[other].debounce < ROWS[name].debounce]
        assert phase is not Phase.BEAM or others or before == 1.0  # it fell in this very cycle


# part, field, rows within two cycles, rows within 60 cycles, in BEAM
NO_NUMBER: list[tuple[str, str, Any, list[str]]] = [
    ("gantry", "readback", 0, ["GANTRY_POS", "GANTRY_DIS", "GANTRY_SPD", "GANTRY_RUN", "GANTRY_LOOSE", "MU_ANGLE", "ANGLE_BEHIND",
                              "DATA_RANGE"]),
    ("gantry", "readback_2", 0, ["GANTRY_DIS", "GANTRY_SPD", "GANTRY_LOOSE", "MU_ANGLE", "ANGLE_BEHIND"]),
    ("collimator", "readback", 0, ["COLL_LOOSE", "COLL_POS", "COLL_DIS", "COLL_RUN", "DATA_RANGE"]),
    ("collimator", "readback_2", 0, ["COLL_LOOSE", "COLL_DIS"]),
    ("jaws", "readback", 0, ["JAW_LOOSE", "JAW_POS", "JAW_DIS", "JAW_RUN", "DATA_RANGE"]),
    ("jaws", "readback", 3, ["JAW_LOOSE", "JAW_POS", "JAW_DIS", "JAW_RUN", "DATA_RANGE"]),
    ("jaws", "readback_2", 3, ["JAW_LOOSE", "JAW_DIS"]),
    ("mlc", "readback", 0, ["MLC_LOOSE", "MLC_POS", "MLC_OFF", "MLC_DIS", "MLC_RMS", "DATA_RANGE"]),
    ("mlc", "readback", 19, ["MLC_LOOSE", "MLC_POS", "MLC_OFF", "MLC_DIS", "MLC_RMS", "DATA_RANGE"]),
    ("mlc", "readback_2", 19, ["MLC_LOOSE", "MLC_DIS"]),
    ("carriages", "readback", 1, ["CARRIAGE_LOOSE", "CARRIAGE_DIS", "DATA_RANGE"]),
    ("carriages", "readback_2", 0, ["CARRIAGE_LOOSE", "CARRIAGE_DIS"]),
    ("couch", "readback", 0, ["COUCH_LOOSE", "COUCH_POS", "COUCH_DIS", "COUCH_SPD", "DATA_RANGE"]),
    ("couch", "readback", 2, ["COUCH_LOOSE", "COUCH_POS", "COUCH_DIS", "COUCH_SPD", "DATA_RANGE"]),
    ("couch", "readback", 3, ["COUCH_LOOSE_ANGLE", "COUCH_ANGLE", "COUCH_DIS_ANGLE", "DATA_RANGE"]),
    ("couch", "readback", 5, ["COUCH_LOOSE_ANGLE", "COUCH_ANGLE", "COUCH_DIS_ANGLE", "DATA_RANGE"]),
    ("couch", "readback_2", 2, ["COUCH_LOOSE", "COUCH_DIS", "COUCH_SPD"]),
    ("couch", "readback_2", 5, ["COUCH_LOOSE_ANGLE", "COUCH_DIS_ANGLE"]),
    ("beam", "mu_1", 0, ["RATE_PLAUS", "MU_MONO", "MU1_LATE"]),
    ("beam", "mu_2", 0, ["RATE_PLAUS", "MU_MONO"]),
    ("beam", "rate_1_mu_per_s", 0, ["DOSE_RATE_HI"]),
    ("beam", "pulse_mu", 0, ["DOSE_PER_PULSE"]),
    ("beam", "quadrants", (0, 0), ["DOSE_SYM"]),
    ("beam", "quadrants", (0, 3), ["DOSE_SYM"]),
    ("beam", "chamber_hv_1_v", 0, ["DOSE_HV"]),
    ("beam", "chamber_hv_2_v", 0, ["DOSE_HV"]),
    ("beam", "energy_ratio", 0, ["ENERGY"]),
    *[("beam", name, 0, ["UTIL"]) for name in (
        "gun_hv_kv", "gun_current_a", "pfn_kv", "afc_error_v", "rf_driver_v", "vacuum_ua", "gas_psi", "water_c")],
    ("safety", "beam_s", 0, ["TIMER_SLOW"]),
    ("safety", "mu_backup", 0, ["MU_DIS"]),
    ("safety", "preset_echo_mu", 0, ["ECHO_MISMATCH"]),
    ("safety", "time_limit_echo_s", 0, ["ECHO_MISMATCH"]),
    ("safety", "permit", 0, ["PERMIT_DIS"]),
    ("room", "door_closed", 0, ["DOOR", "DOOR_DIS"]),
    ("room", "door_closed_2", 0, ["DOOR", "DOOR_DIS"]),
    ("room", "estop_ok", 0, ["ESTOP"]),
    ("room", "motion_enable", 0, ["INPUT_DIS"]),
    ("room", "motion_enable_2", 0, ["INPUT_DIS"]),
    ("room", "touchguard_ok", 0, ["TOUCHGUARD", "TOUCH_DIS"]),
    ("room", "touchguard_ok_2", 0, ["TOUCHGUARD", "TOUCH_DIS"]),
    ("room", "key_on", 0, ["KEY"]),
    ("room", "mains_ok", 0, ["POWER"]),
    ("room", "room_monitor_ok", 0, ["ROOM_MON"]),
    ("room", "service_mode", 0, ["SERVICE_MODE"]),
    ("room", "bypass", 0, ["BYPASS"]),
    ("room", "clearance_mm", 0, ["COLLISION"]),
    ("nodes", "powered", 2, ["DRIVE_PLAUS"]),
    ("nodes", "calibrated", 2, ["CALIBRATED"]),
    ("nodes", "calibrated", 3, ["MLC_INIT", "CALIBRATED"]),
]


@pytest.mark.parametrize(("part", "field", "at", "rows"), NO_NUMBER, ids=[f"{c[0]}.{c[1]}-{c[2]}" for c in NO_NUMBER])
def test_a_reading_that_is_no_number_trips_exactly_the_rows_that_read_it(part: str, field: str, at: Any, rows: list[str]) -> None:
    rig = started(Phase.BEAM)
    rig.spoil(part, field, NAN, at)
    seen: set[str] = set()
    for _ in range(60):
        rig.cycle()
        seen |= set(rig.tripped())
    assert seen == set(rows)
    assert rig.permit == 0.0


# what says 1.0 when all is well, and what says how far something is: values that no switch and no gauge can have
ABSURD = (float("inf"), float("-inf"), 1.7e308, -1.7e308)
IMPOSSIBLE: list[tuple[str, str, Any, str, Phase]] = [
    ("room", "door_closed", 0, "DOOR", Phase.BEAM), ("room", "door_closed_2", 0, "DOOR", Phase.BEAM),
    ("room", "last_person_out", 0, "LAST_OUT", Phase.READY), ("room", "estop_ok", 0, "ESTOP", Phase.IDLE),
    ("room", "touchguard_ok", 0, "TOUCHGUARD", Phase.IDLE), ("room", "touchguard_ok_2", 0, "TOUCHGUARD", Phase.IDLE),
    ("room", "motion_enable", 0, "INPUT_DIS", Phase.MOVE), ("room", "key_on", 0, "KEY", Phase.READY),
    ("room", "mains_ok", 0, "POWER", Phase.IDLE), ("room", "room_monitor_ok", 0, "ROOM_MON", Phase.READY),
    ("room", "service_mode", 0, "SERVICE_MODE", Phase.READY), ("room", "bypass", 0, "BYPASS", Phase.READY),
    ("room", "clearance_mm", 0, "COLLISION", Phase.MOVE), ("room", "clearance_mm", 0, "COLLISION", Phase.BEAM),
    ("nodes", "powered", 2, "DRIVE_PLAUS", Phase.IDLE), ("nodes", "calibrated", 2, "CALIBRATED", Phase.READY),
    ("nodes", "calibrated", 3, "MLC_INIT", Phase.READY), ("safety", "permit", 0, "PERMIT_DIS", Phase.BEAM),
    ("safety", "permit", 0, "PERMIT_READY", Phase.READY), ("beam", "hv_on", 0, "HV_READY", Phase.READY),
    ("beam", "rate_1_mu_per_s", 0, "DOSE_RATE_HI", Phase.BEAM), ("beam", "pulse_mu", 0, "DOSE_PER_PULSE", Phase.BEAM),
    ("beam", "mu_1", 0, "MU_DIS", Phase.READY), ("beam", "mu_2", 0, "MU_DIS", Phase.READY),
    ("beam", "energy_ratio", 0, "ENERGY", Phase.BEAM), ("beam", "quadrants", (0, 1), "DOSE_SYM", Phase.BEAM),
    ("beam", "chamber_hv_1_v", 0, "DOSE_HV", Phase.BEAM), ("beam", "water_c", 0, "UTIL", Phase.READY),
    ("safety", "beam_s", 0, "TIMER_SLOW", Phase.BEAM), ("safety", "mu_backup", 0, "MU_DIS", Phase.BEAM),
    ("safety", "preset_echo_mu", 0, "ECHO_MISMATCH", Phase.READY),
    ("gantry", "readback", 0, "DATA_RANGE", Phase.IDLE), ("gantry", "readback_2", 0, "GANTRY_DIS", Phase.IDLE),
    ("mlc", "readback", 3, "DATA_RANGE", Phase.IDLE), ("couch", "readback_2", 4, "COUCH_DIS_ANGLE", Phase.IDLE),
]


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("case", IMPOSSIBLE, ids=lambda case: f"{case[0]}.{case[1]}-{case[4].name}")
def test_a_value_that_cannot_be_is_unsafe(case: tuple[str, str, Any, str, Phase], value: float) -> None:
    part, field, at, row, phase = case
    rig = started(phase)
    rig.spoil(part, field, value, at)
    rig.cycle(ROWS[row].debounce + 3)
    assert row in rig.tripped()


@pytest.mark.parametrize("breath_mm", ABSURD)
def test_a_chest_that_cannot_be_shuts_the_gate(breath_mm: float) -> None:
    rig = started(Phase.BEAM)
    chest(rig, breath_mm)
    rig.cycle(2)
    assert "GATE" in rig.tripped()


def test_a_skin_that_was_seen_in_the_future_is_not_news() -> None:
    rig = started(Phase.BEAM)
    skin_age(rig, -0.6)
    rig.cycle(2)
    assert "SURF_STALE" in rig.tripped()


@pytest.mark.parametrize("field", ["last_person_out", "motion_enable", "key_on", "service_mode"])
def test_before_the_beam_a_switch_without_a_number_prevents_it(field: str) -> None:
    rig = started(Phase.READY)
    rig.spoil("room", field, NAN)
    rig.cycle(25)
    assert int(rig.job["reactions"][0]) & int(Reaction.PREVENT_START)


@pytest.mark.parametrize("part", ["beam.mu_1", "beam.quadrants", "mlc.readback", "gantry.readback"])
def test_one_cycle_without_a_number_is_not_remembered_for_ever(part: str) -> None:
    rig = started(Phase.BEAM)
    device, field = part.split(".")
    rig.spoil(device, field, NAN)
    rig.cycle()
    rig.heal()
    rig.control.interlocks["tripped"], rig.control.interlocks["tripped_copy"] = 0, 1
    rig.cycle(100)
    assert not [s.name for s in Signal if rig.signal(s) != rig.signal(s)]
    assert rig.job["expected_mu"][0] == rig.job["expected_mu"][0]


def test_one_cycle_without_a_leaf_reading_slows_the_dose_and_the_field_goes_on() -> None:
    rig = started(Phase.BEAM)
    rig.spoil("mlc", "readback", NAN, 4)
    rig.cycle()
    rig.heal()
    rig.cycle(1)
    assert rig.job["rate_mu_per_s"][0] == 0.0  # no news, no dose
    rig.cycle(30)
    assert rig.tripped() == [] and rig.permit == 1.0 and rig.job["rate_mu_per_s"][0] > 0.0


# --- rows whose signal is made of several cycles

def test_pulses_after_the_permit_fell_trip_at_once_and_forty_milliseconds_later_they_are_a_stuck_beam() -> None:
    rig = started(Phase.BEAM)
    rig.enter(Phase.IDLE)
    seen: list[list[str]] = []
    for _ in range(5):
        rig.spoil("beam", "pulses", int(rig.image.beam["pulses"][0]) + 1)
        rig.cycle()
        seen.append([i for i in rig.tripped() if i in ("RAD_WHEN_OFF", "BEAM_STUCK")])
    assert seen == [[], ["RAD_WHEN_OFF"], ["RAD_WHEN_OFF"], ["BEAM_STUCK", "RAD_WHEN_OFF"], ["BEAM_STUCK", "RAD_WHEN_OFF"]]


def test_pulses_of_a_source_that_has_heard_that_there_is_no_permit_trip_in_their_first_cycle() -> None:
    rig = started(Phase.BEAM)
    rig.enter(Phase.IDLE)
    rig.spoiled.append(lambda: rig.image.beam["heard_cycle"].__setitem__(0, rig.job["cycle"][0]))
    rig.spoil("beam", "pulses", int(rig.image.beam["pulses"][0]) + 1)
    rig.cycle()
    assert rig.tripped() == ["RAD_WHEN_OFF"]


@pytest.mark.parametrize(("cycle", "trips"), [(1, True), (2, True), (3, False), (4, False)])
def test_pulses_in_the_first_two_cycles_of_a_permit_are_not_its_own(cycle: int, trips: bool) -> None:
    rig = started(Phase.BEAM)
    rig.enter(Phase.IDLE)
    rig.cycle(20)
    rig.enter(Phase.BEAM)
    while rig.job["high_cycles"][0] < cycle - 1:
        rig.cycle()
    rig.spoil("beam", "pulses", int(rig.image.beam["pulses"][0]) + 1)
    rig.cycle()
    assert rig.job["high_cycles"][0] in (0, cycle)
    assert ("RAD_WHEN_OFF" in rig.tripped()) is trips and rig.permit == (0.0 if trips else 1.0)


@pytest.mark.parametrize("every", [1, 3, 9])
def test_while_there_are_pulses_without_permit_the_heartbeat_stays_away_for_longer_than_the_other_channel_waits(every: int) -> None:
    rig = started(Phase.BEAM)
    rig.enter(Phase.IDLE)
    pulses, answers = int(rig.image.beam["pulses"][0]), []
    rig.image.safety["challenge"] = 77
    for i in range(40):
        rig.spoil("beam", "pulses", pulses + i // every)
        rig.cycle()
        answers.append(int(rig.image.safety["response"][0]))
    first = next(i for i, said in enumerate(answers) if said == REFUSAL)
    assert set(answers[first:]) == {REFUSAL} and first <= every + 3
    rig.cycle(11)
    assert rig.image.safety["response"][0] != REFUSAL  # and it is back when the beam has been off for a while


@pytest.mark.parametrize(("far", "trips"), [(1.99, False), (2.05, True)])
def test_of_a_large_dose_the_channels_may_differ_by_five_percent(far: float, trips: bool) -> None:
    rig = started(Phase.READY)
    rig.spoil("beam", "mu_1", 40.0)
    rig.spoil("beam", "mu_2", 40.0 + far)
    rig.spoil("safety", "mu_backup", 40.0)
    rig.cycle(2)
    assert ("MU_DIS" in rig.tripped()) is trips


def test_pulses_long_after_the_last_beam_are_a_stuck_beam_at_once() -> None:
    rig = started(Phase.IDLE)
    rig.cycle(100)
    rig.image.beam["pulses"] += 1
    rig.cycle()
    assert {"RAD_WHEN_OFF", "BEAM_STUCK"} <= set(rig.tripped())


def test_a_channel_that_refuses_for_four_cycles_trips() -> None:
    rig = started(Phase.BEAM)
    rig.spoil("safety", "permit", 0.0)
    rig.cycle(3)
    assert rig.tripped() == [] and rig.permit == 1.0
    rig.cycle()
    assert rig.tripped() == ["PERMIT_DIS"] and rig.permit == 0.0


def test_a_channel_that_agrees_again_in_time_starts_the_count_again() -> None:
    rig = started(Phase.BEAM)
    for _ in range(5):
        rig.spoil("safety", "permit", 0.0)
        rig.cycle(3)
        rig.heal()
        rig.cycle()
    assert rig.tripped() == []


def test_a_chamber_that_reads_on_without_pulses_is_not_believed() -> None:
    rig = started(Phase.BEAM)
    pulses = int(rig.image.beam["pulses"][0])
    rig.spoil("beam", "pulses", pulses)
    rig.cycle(300)
    assert "RATE_PLAUS" in rig.tripped() and rig.permit == 0.0


@pytest.mark.parametrize("counter", ["mu_1", "mu_2"])
@pytest.mark.parametrize(("gain", "trips_after"), [(1.0, None), (0.985, None), (1.015, None), (0.9, 25), (1.1, 25), (0.0, 3)])
def test_a_counter_that_leaves_the_pulses_is_found_long_before_five_percent_of_a_field(counter: str, gain: float,
                                                                                        trips_after: int | None) -> None:
    rig = started(Phase.BEAM)
    begin = float(rig.image.beam[counter][0])
    rig.spoiled.append(lambda: rig.image.beam[counter].__setitem__(0, begin + gain * (rig.mu - begin)))
    rig.cycle(trips_after or 400)
    assert ("RATE_PLAUS" in rig.tripped()) is (trips_after is not None)
    assert "MU_DIS" not in rig.tripped()


AXES = [("gantry", 0, "GANTRY"), ("collimator", 0, "COLL"), ("jaws", 2, "JAW"), ("mlc", 5, "MLC"), ("carriages", 1, "CARRIAGE"),
        ("couch", 1, "COUCH"), ("couch", 3, "COUCH")]


def loose(rig: Rig) -> list[str]:
    return [name for name in rig.tripped() if "_LOOSE" in name]


@pytest.mark.parametrize(("device", "at", "row"), AXES)
def test_an_axis_that_is_stuck_while_its_setpoint_goes_has_not_gone_by_itself(device: str, at: int, row: str) -> None:
    rig = started(Phase.IDLE)
    rig.obedient = False
    wires, aims = getattr(rig.image, device), getattr(rig.control, device)
    begin = float(wires["setpoint"][at])
    aims["goal"][at] = begin + (10.0 if aims["middle"][at] >= begin else -10.0)
    rig.cycle(300)
    assert abs(wires["setpoint"][at] - wires["readback"][at]) > 1.0 and loose(rig) == []


@pytest.mark.parametrize("encoder", ["readback", "readback_2"])
@pytest.mark.parametrize(("device", "at", "row"), AXES)
def test_what_only_one_encoder_says_is_no_motion(device: str, at: int, row: str, encoder: str) -> None:
    rig = started(Phase.READY)
    axis(device, at, encoder)(rig, 5.0)
    rig.cycle(5)
    assert loose(rig) == [] and [name for name in rig.tripped() if "_DIS" in name]  # they do not agree


@pytest.mark.parametrize(("device", "at", "row"), AXES)
def test_an_axis_may_run_on_when_its_setpoint_stops_at_once_and_not_later(device: str, at: int, row: str) -> None:
    for rest, trips in ((10, False), (250, True)):
        rig = started(Phase.IDLE)
        aims = getattr(rig.control, device)
        aims["pace"][at] = aims["speed"][at]
        rig.cycle(1 if device == "mlc" and not trips else rest)  # leaves forget in a tenth of a second
        goes(device, at)(rig, 1.4 if device != "gantry" else 1.0)
        rig.cycle(3)
        assert bool(loose(rig)) is trips and all(name.startswith(row) for name in loose(rig))


@pytest.mark.parametrize(("device", "at", "far", "rows"), [
    ("kv_arms", 0, 0.99, []), ("kv_arms", 0, 1.01, ["KV_LOOSE"]), ("kv_arms", 3, -1.01, ["KV_LOOSE"]),
    ("kv_arms", 1, NAN, ["KV_LOOSE"]), ("mv_arm", 0, 0.99, []), ("mv_arm", 0, 1.01, ["MV_LOOSE"]),
    ("mv_arm", 2, -1.01, ["MV_LOOSE"]), ("mv_arm", 1, NAN, ["MV_LOOSE"])])
def test_an_arm_that_goes_by_itself_is_stopped_before_it_is_far(device: str, at: int, far: float, rows: list[str]) -> None:
    rig = Rig("c_arm_m120")
    for name in ("kv_arms", "mv_arm"):  # far from the ends of their ways
        wires, aims = getattr(rig.image, name), getattr(rig.control, name)
        aims["goal"] = wires["setpoint"] = wires["readback"] = wires["readback_2"] = aims["middle"]
    rig.cycle(5)
    assert rig.tripped() == []
    goes(device, at)(rig, far)
    rig.cycle(3)
    assert loose(rig) == rows
    assert rig.image.nodes["enable"][Node.KV_ARMS] == (0.0 if rows else 1.0)


def arc(mu: float = 40.0, mode: str = "6X") -> Rig:
    """Beam on in an arc of 20 deg, near its beginning."""
    rig = Rig()
    rig.beam(small_arc(rig.machine, mu=mu, mode=mode, gantry=(-10.0, 10.0)), cycles=120)
    assert rig.tripped() == [] and rig.permit == 1.0
    return rig


def degrees(rig: Rig, mu: float) -> float:
    """deg of the gantry that make up so much dose in the segment in hand."""
    table, s = rig.control.trajectory, int(rig.job["segment"][0])
    return float(mu * (table.gantry[s + 1, 0] - table.gantry[s, 0]) / (table.mu[s + 1] - table.mu[s]))


@pytest.mark.parametrize("encoder", ["readback", "readback_2"])
@pytest.mark.parametrize(("off_mu", "trips"), [(0.79, False), (-0.79, False), (0.81, True), (-0.81, True), (NAN, True)])
def test_dose_that_leaves_the_angle_behind_interrupts_the_arc_by_either_encoder(encoder: str, off_mu: float, trips: bool) -> None:
    rig = arc()
    axis("gantry", 0, encoder)(rig, degrees(rig, off_mu))
    rig.cycle(2)
    assert ("MU_ANGLE" in rig.tripped()) is trips and rig.permit == (0.0 if trips else 1.0)
    rig.cycle()
    assert rig.image.nodes["enable"][Node.GANTRY] == (0.0 if trips else 1.0)


@pytest.mark.parametrize(("off_mu", "trips"), [(0.79, False), (0.81, True)])
def test_in_a_hold_the_gantry_may_run_on_but_no_dose_comes_before_it_is_back(off_mu: float, trips: bool) -> None:
    rig = arc()
    rig.spoil("room", "key_on", 0.0)
    rig.cycle(3)
    assert rig.permit == 0.0 and rig.phase is Phase.BEAM
    rig.heal()
    both("gantry", 0)(rig, degrees(rig, off_mu))
    rig.cycle(30)
    assert "MU_ANGLE" not in rig.tripped() and ("ANGLE_BEHIND" in rig.tripped()) is trips
    assert rig.permit == (0.0 if trips else 1.0)


@pytest.mark.parametrize(("mu", "mode", "allowed_mu"), [(40.0, "6X", 1.0), (400.0, "6X", 4.0), (40.0, "10FFF", 4.0)])
@pytest.mark.parametrize(("share", "trips"), [(0.79, False), (0.81, True)])
def test_dose_and_angle_may_differ_by_one_percent_of_the_field_or_by_more_in_a_faster_mode(
        mu: float, mode: str, allowed_mu: float, share: float, trips: bool) -> None:
    rig = arc(mu, mode)
    both("gantry", 0)(rig, degrees(rig, share * allowed_mu))
    rig.cycle(2)
    assert ("MU_ANGLE" in rig.tripped()) is trips


@pytest.mark.parametrize(("speed", "trips"), [(1.4, False), (1.6, True)])
def test_a_gantry_that_moves_without_being_asked_stops_everything(speed: float, trips: bool) -> None:
    rig = started(Phase.IDLE)
    for _ in range(10):
        for field in ("readback", "readback_2"):
            rig.spoil("gantry", field, float(rig.image.gantry["readback"][0]) + speed * DT_S)
        rig.cycle()
    assert ("GANTRY_SPD" in rig.tripped()) is trips
    assert rig.image.nodes["enable"][0] == (1.0 if not trips else 0.0)


def freeze(rig: Rig, *fields: str) -> None:
    """These encoders of the gantry say what they said last, over and over."""
    for field in fields:
        rig.spoil("gantry", field, float(rig.image.gantry[field][0]))


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.MOVE, Phase.READY, Phase.BEAM])
def test_two_encoders_of_the_gantry_that_stand_still_together_stop_everything_in_60_ms(phase: Phase) -> None:
    rig = started(phase)
    freeze(rig, "readback", "readback_2")
    rig.cycle(5)
    assert rig.tripped() == [] and rig.permit == (1.0 if phase is Phase.BEAM else 0.0)
    rig.cycle()
    assert rig.tripped() == ["GANTRY_STILL"] and rig.permit == 0.0
    rig.cycle()
    assert rig.image.nodes["enable"][Node.GANTRY] == 0.0


@pytest.mark.parametrize("field", ["readback", "readback_2"])
def test_an_encoder_of_the_gantry_that_stands_still_beside_one_that_lives_is_for_other_rows(field: str) -> None:
    rig = started(Phase.BEAM)
    rig.spoiled.append(lambda: rig.image.gantry["readback"].__iadd__(rig.tremble))
    freeze(rig, field)
    rig.cycle(30)
    assert rig.tripped() == []


@pytest.mark.parametrize(("device", "row", "limit"), [("gantry", "GANTRY_SPD", 1.5), ("couch", "COUCH_SPD", 8.0)])
@pytest.mark.parametrize(("apart", "trips"), [(4.0, False), (10.0, False), (10.1, True), (0.0, True), (NAN, True), (-1.0, True)])
def test_speed_is_counted_over_the_time_between_readings_where_that_makes_sense(device: str, row: str, limit: float, apart: float,
                                                                                  trips: bool) -> None:
    rig = started(Phase.IDLE)
    rig.spoil("nodes", "apart_cycles", apart, Node[device.upper()])
    step = 2.0 * limit * DT_S  # twice too fast if it were done in one cycle
    for _ in range(10):
        at = [float(getattr(rig.image, device)[field][0]) for field in ("readback", "readback_2")]
        for field, place in zip(("readback", "readback_2"), at, strict=True):
            rig.spoil(device, field, place + step)
        rig.cycle()
    assert (row in rig.tripped()) is trips


@pytest.mark.parametrize(("apart", "speed"), [(1.0, 100.0), (4.0, 25.0), (0.5, 100.0), (10.1, 100.0), (NAN, 100.0)])
def test_the_speed_of_leaves_is_counted_over_that_time_too(apart: float, speed: float) -> None:
    rig = started(Phase.BEAM)
    rig.spoil("nodes", "apart_cycles", apart, Node.MLC)
    rig.spoil("mlc", "readback", float(rig.image.mlc["readback"][3]) + 100.0 * DT_S, 3)
    rig.cycle()
    assert rig.control.signals[Signal.LEAF_SPEED_MM_PER_S] == pytest.approx(speed)


@pytest.mark.parametrize("encoder", ["readback", "readback_2"])
def test_noise_of_one_encoder_within_its_specification_is_no_motion(encoder: str) -> None:
    rig = started(Phase.BEAM)
    noise = iter(np.random.default_rng(7).normal(0.0, 0.05, 1001))
    rig.spoiled.append(lambda: rig.image.gantry[encoder].__setitem__(0, rig.image.gantry["setpoint"][0] + next(noise)))
    rig.cycle(1000)
    assert rig.tripped() == [] and float(next(noise)) != 0.0


@pytest.mark.parametrize(("speed", "trips"), [(7.9, False), (8.1, True)])
def test_a_couch_that_drops_stops_everything(speed: float, trips: bool) -> None:
    rig = started(Phase.IDLE)
    for _ in range(8):
        for field in ("readback", "readback_2"):
            rig.spoil("couch", field, float(rig.image.couch["readback"][2]) - speed * DT_S, 2)
        rig.cycle()
    assert ("COUCH_SPD" in rig.tripped()) is trips


@pytest.mark.parametrize(("speed", "trips"), [(7.9, False), (8.1, True)])
@pytest.mark.parametrize(("axis", "asked"), [(0, 2), (1, 0), (2, 1)])
def test_an_axis_of_the_couch_that_goes_by_itself_is_not_hidden_by_another_that_was_told_to(axis: int, asked: int, speed: float,
                                                                                             trips: bool) -> None:
    rig = started(Phase.IDLE)
    rig.job["couch_asked_mm_per_s"][0, asked] = 45.0
    for _ in range(4):
        for field in ("readback", "readback_2"):
            rig.spoil("couch", field, float(rig.image.couch["readback"][axis]) + speed * DT_S, axis)
        rig.cycle()
    assert ("COUCH_SPD" in rig.tripped()) is trips


@pytest.mark.parametrize(("step_mm", "trips"), [(0.59, False), (0.61, True)])
def test_a_leaf_faster_than_any_leaf_holds_the_beam(step_mm: float, trips: bool) -> None:
    rig = started(Phase.BEAM)
    for _ in range(3):
        rig.spoil("mlc", "readback", float(rig.image.mlc["readback"][5]) + step_mm, 5)
        rig.cycle()
    assert ("MLC_SPD" in rig.tripped()) is trips


def test_all_leaves_off_by_a_little_more_than_a_millimetre_hold_the_beam_after_some_seconds() -> None:
    rig = started(Phase.BEAM)
    for i in range(20):
        both("mlc", i)(rig, 1.2)
    rig.cycle(10)
    assert rig.tripped() == []
    rig.cycle(700)
    assert "MLC_RMS" in rig.tripped() and "MLC_POS" not in rig.tripped()


def test_a_released_bar_stops_motion_only_while_somebody_has_to_hold_it() -> None:
    rig = started(Phase.MOVE)
    rig.spoil("room", "motion_enable", 0.0)
    rig.spoil("room", "motion_enable_2", 0.0)
    rig.cycle(5)
    assert rig.tripped() == []
    rig.job["bar_needed"] = 1.0
    rig.cycle()
    assert rig.tripped() == ["MOTION_EN"] and (rig.image.nodes["enable"] == 0.0).all()  # in the cycle that saw it
    rig.cycle()
    assert (rig.image.nodes["enable"] == 0.0).all()
    rig.heal()
    take_bar(rig, True, True)
    rig.cycle(11)
    assert rig.tripped() == [] and (rig.image.nodes["enable"] == 1.0).all()


def take_bar(rig: Rig, first: bool, second: bool) -> None:
    """Somebody takes the bar, and those contacts of the guards open for a moment."""
    rig.job["bar_held"] = 0
    for field, opens in (("touchguard_ok", first), ("touchguard_ok_2", second)):
        rig.spoil("room", field, 0.0 if opens else 1.0)
    rig.cycle(3)
    rig.heal()
    rig.cycle(4)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_guards_that_do_not_open_when_the_bar_is_taken_prevent_motion(first: bool, second: bool) -> None:
    rig = started(Phase.MOVE)
    take_bar(rig, first, second)
    assert rig.tripped() == ([] if first and second else ["GUARD_TEST"])


def test_guards_that_stay_open_after_their_test_are_pressed() -> None:
    rig = started(Phase.MOVE)
    rig.job["bar_held"] = 0
    for field in ("touchguard_ok", "touchguard_ok_2"):
        rig.spoil("room", field, 0.0)
    rig.cycle(5)
    assert rig.tripped() == []
    rig.cycle()
    assert rig.tripped() == ["TOUCHGUARD"]


def test_another_mode_may_be_on_its_way_when_it_was_asked_for() -> None:
    rig = started(Phase.MOVE)
    rig.job["selecting"] = 1
    rig.spoil("beam", "mode_sensed", -1)
    rig.cycle(50)
    assert rig.tripped() == []
    rig.heal()
    rig.cycle()
    rig.spoil("beam", "mode_sensed", -1)
    rig.cycle(2)
    assert rig.tripped() == ["MODE_MOVED"]


@pytest.mark.parametrize("phase", [Phase.READY, Phase.BEAM])
@pytest.mark.parametrize("table, column, by", [
    ("mlc", 3, 0.002), ("jaws", 1, -0.002), ("gantry", 0, 0.002), ("collimator", 0, 1e300), ("mlc", 0, NAN)])
def test_a_position_that_is_not_the_one_that_was_armed_prevents_or_ends_the_beam(table: str, column: int, by: float,
                                                                                phase: Phase) -> None:
    rig = started(phase)
    getattr(rig.control.trajectory, table)[int(rig.job["segment"][0]), column] += by
    rig.cycle()
    assert ("RX_HASH" if phase is Phase.BEAM else "RX_CHANGED") in rig.tripped() and rig.permit == 0.0
    rig.cycle()
    assert rig.phase is Phase.STOPPED and rig.permit == 0.0  # armed no longer, in whatever order things are put right


@pytest.mark.parametrize("field, by, changed", [("mu_end", 0.0009, False), ("mu_end", 0.0011, True), ("mu_end", NAN, True),
                                                ("pulse_mu", 1e-12, False), ("pulse_mu", 1e-6, True)])
def test_an_end_or_a_pulse_that_is_not_the_armed_one_is_found_by_its_second_copy(field: str, by: float, changed: bool) -> None:
    rig = started(Phase.READY)
    rig.job[field] += by
    rig.cycle()
    assert ("RX_CHANGED" in rig.tripped()) is changed
    rig.cycle()
    assert rig.phase is (Phase.STOPPED if changed else Phase.READY)


def test_one_contact_of_the_bar_is_not_enough() -> None:
    rig = started(Phase.MOVE)
    rig.job["bar_needed"] = 1.0
    rig.spoil("room", "motion_enable_2", 0.0)
    rig.cycle(2)
    assert rig.tripped() == ["MOTION_EN"]


def test_arms_have_rows_of_their_own() -> None:
    for device, at, rows in (("kv_arms", 0, ["KV_POS", "KV_DIS"]), ("kv_arms", 3, ["KV_POS", "KV_DIS"]), ("mv_arm", 2, ["MV_POS"])):
        rig = Rig("c_arm_m120")
        rig.cycle()
        assert rig.tripped() == []
        axis(device, at)(rig, 5.01)
        rig.cycle(11)
        assert [i for i in rig.tripped() if i.startswith(("KV", "MV"))] == rows


def arms_in_the_middle() -> Rig:
    """A machine with imagers whose arms are far from the ends of their ways."""
    rig = Rig("c_arm_m120")
    for device in ("kv_arms", "mv_arm"):
        wires, aims = getattr(rig.image, device), getattr(rig.control, device)
        aims["goal"] = wires["setpoint"] = wires["readback"] = wires["readback_2"] = aims["middle"]
    rig.cycle(5)
    assert rig.tripped() == []
    return rig


@pytest.mark.parametrize(("off_mm", "phase", "trips"), [
    (1.99, Phase.READY, False), (2.01, Phase.READY, True), (NAN, Phase.READY, True),
    (2.01, Phase.MOVE, False), (2.01, Phase.IDLE, False)])
@pytest.mark.parametrize(("at", "sign"), [(0, 1.0), (1, -1.0), (2, 1.0), (3, -1.0)])
def test_an_arm_of_the_imager_that_leaves_its_place_with_nowhere_to_go_loses_its_power(at: int, sign: float, off_mm: float,
                                                                                       phase: Phase, trips: bool) -> None:
    rig = arms_in_the_middle()
    rig.enter(phase)
    both("kv_arms", at)(rig, sign * off_mm)
    rig.cycle(3)
    assert ("KV_RUN" in rig.tripped()) is trips
    assert rig.image.nodes["enable"][Node.KV_ARMS] == (0.0 if trips else 1.0)


def motion_stops_too(rig: Rig) -> None:
    """CTL-08, CTL-10: a controller that cannot trust itself moves nothing either."""
    rig.cycle()
    assert (rig.image.nodes["enable"] == 0.0).all()


def test_rows_that_were_not_evaluated_are_noticed_in_the_second_cycle() -> None:
    rig = started(Phase.BEAM)
    for _ in range(2):
        rig.job["evaluated"] -= 1
        rig.cycle()
    assert "EVAL_COUNT" in rig.tripped() and rig.permit == 0.0
    motion_stops_too(rig)


def test_a_permit_that_outlived_a_trip_is_itself_a_trip() -> None:
    rig = started(Phase.BEAM)
    rig.control.signals[Signal.TRIP_TO_PERMIT_CYCLES] = 1.0
    rig.cycle()
    assert "TRIP_LATENCY" in rig.tripped()


def test_a_phase_that_does_not_exist_stops_the_beam() -> None:
    rig = started(Phase.BEAM)
    for phase in (0, 3, 64):
        rig.job["phase"] = phase
        rig.cycle()
        assert "STATE_ILLEGAL" in rig.tripped() and rig.permit == 0.0
        motion_stops_too(rig)


def test_phases_named_in_the_table_are_those_of_the_cycle() -> None:
    for row in table().rows:
        assert phase_bits(row.phases) & ~int(phase_bits(())) == 0
