"""The process image: every wire between controller and machine. Axis units: mm or deg, IEC 61217; doses in MU.

"out" is written by the controller each cycle, "in" by the machine. A device that is not fitted has zero records.
Switches read 1.0 when all is well, so that a broken wire (0.0 or NaN) never looks healthy.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numba
import numpy as np

DT_S = 0.01  # one scan cycle; the trajectory log's 20 ms is two of them

AXIS = np.dtype([
    ("setpoint", "f8"),  # out: where the controller wants it this cycle
    ("readback", "f8"),  # in: primary encoder
    ("readback_2", "f8"),  # in: second encoder, other side of the gearbox
])

NODE = np.dtype([
    ("enable", "f8"),  # out: 1.0 = drive power wanted, repeated every cycle; without it the brakes are on
    ("said_cycle", "i8"),  # out: cycle in which all this device hears was said; 0 = by somebody who gives no stamps
    ("powered", "f8"),  # in: 1.0 = drives have power and are free of faults
    ("calibrated", "f8"),  # in: 1.0 = reference positions found since power-up
    ("sampled_cycle", "i8"),  # in: cycle in which this node's readings were acquired at the sensor
    ("named", "i8"),  # in: which row of `Node` this is, as the device itself says; -1 = nobody has spoken here yet
    ("apart_cycles", "f8"),  # in: from the readings before to these by the node's own clock; 1.0 unless a line is free-running
])


class Node(IntEnum):
    """Rows of `Image.nodes`: one per device that answers for itself."""

    GANTRY = 0
    COLLIMATOR = 1
    JAWS = 2
    MLC = 3
    CARRIAGES = 4
    COUCH = 5
    KV_ARMS = 6
    MV_ARM = 7
    BEAM = 8
    ROOM = 9
    SAFETY = 10


BEAM = np.dtype([
    ("permit", "f8"),  # out: 1.0 = controller's yes to beam, for this cycle only
    ("hv_request", "f8"),  # out: 1.0 = keep gun and RF warm (mode up)
    ("rate_mu_per_s", "f8"),  # out: dose rate wanted this cycle
    ("mode", "i8"),  # out: beam mode wanted: index into the machine's table of modes
    ("clear_dose", "f8"),  # out: 1.0 = zero both dose counters (acts only while there is no permit)
    ("said_cycle", "i8"),  # out: cycle in which all this was said; 0 = by somebody who gives no stamps
    ("heard_cycle", "i8"),  # in: which of these orders the readings below came of, by its stamp; 0 = a source that does not say
    ("mu_1", "f8"),  # in: chamber 1 counter since cleared
    ("mu_2", "f8"),  # in: chamber 2 counter since cleared
    ("rate_1_mu_per_s", "f8"),  # in: dose rate seen by chamber 1, mean over the last 0.1 s
    ("pulse_mu", "f8"),  # in: largest dose per pulse seen by chamber 1 this cycle, MU; 0.0 without pulses
    ("pulses", "i8"),  # in: modulator's pulse counter, never reset
    ("missed_pulses", "i8"),  # in: pulses triggered that gave no dose (arcs, misfires), never reset
    ("quadrants", "f8", (4,)),  # in: chamber 1 quadrant currents, normalised to mean 1.0: +x -x +y -y
    ("chamber_hv_1_v", "f8"),  # in: polarising voltage of chamber 1
    ("chamber_hv_2_v", "f8"),  # in: polarising voltage of chamber 2
    ("hv_on", "f8"),  # in: 1.0 = gun and RF warm, a permit gives pulses in the next cycle
    ("mode_sensed", "i8"),  # in: mode read from carousel, target and filter switches; -1 = moving or unknown
    ("carousel_deg", "f8"),  # in: carousel angle from its own resolver
    ("energy_ratio", "f8"),  # in: energy from the bending magnet, sensed / nominal of the mode asked for
    ("accessory", "i8"),  # in: accessory code read from the tray; 0 = none
    ("gun_hv_kv", "f8"),  # in: live parameters, "normal" bands in the machine file
    ("gun_current_a", "f8"),
    ("pfn_kv", "f8"),
    ("magnet_a", "f8"),
    ("afc_error_v", "f8"),
    ("rf_driver_v", "f8"),
    ("vacuum_ua", "f8"),
    ("gas_psi", "f8"),
    ("water_c", "f8"),
    ("water_level_ok", "f8"),
])

SAFETY = np.dtype([
    ("response", "i8"),  # out: answer to last cycle's challenge, see `answer`
    ("preset_mu", "f8"),  # out: prescription; taken over while `arm` is 1.0 and there is no permit
    ("time_limit_s", "f8"),  # out: beam-on time limit, taken over with the preset
    ("start_mu", "f8"),  # out: MU already delivered of this field (resume), taken over with the preset
    ("arm", "f8"),  # out: 1.0 = take over preset and limit, restart dose counter and timer
    ("reset", "f8"),  # out: 1.0 = forget what opened the chain, if its cause is gone
    ("selftest", "f8"),  # out: 1.0 = run the self-test
    ("challenge", "i8"),  # in: new number every cycle
    ("mu_backup", "f8"),  # in: MU of this field by the channel's own chamber, start_mu included
    ("beam_s", "f8"),  # in: beam-on time by the channel's own timer
    ("preset_echo_mu", "f8"),  # in: preset in force
    ("time_limit_echo_s", "f8"),  # in: limit in force
    ("open", "i8"),  # in: SafetyOpen bits, 0 = the chain is closed
    ("permit", "f8"),  # in: 1.0 = the safety channel's own yes
    ("passed", "i8"),  # in: SafetyOpen bits whose self-test has passed since power-up or the last `arm` edge
    ("testing", "f8"),  # in: 1.0 = self-test running
])


class SafetyOpen(IntEnum):
    """What opened the chain: one bit each, all self-tested before every beam."""

    DOSE = 1
    TIMER = 2
    HEARTBEAT = 4
    DOOR = 8
    ESTOP = 16
    LIMITS = 32  # preset or limit not loaded or not a number


ALL_TESTED = 63

ROOM = np.dtype([
    ("door_closed", "f8"),  # in: first door contact
    ("door_closed_2", "f8"),  # in: second door contact, own wire
    ("last_person_out", "f8"),  # in: search button pressed and door closed since
    ("estop_ok", "f8"),  # in: 1.0 = all emergency stops released
    ("motion_enable", "f8"),  # in: 1.0 = a motion-enable bar (dead-man) is held
    ("motion_enable_2", "f8"),  # in: its second contact
    ("touchguard_ok", "f8"),  # in: 1.0 = no touch guard, skin or bumper is pressed
    ("touchguard_ok_2", "f8"),  # in: second contact of the guards
    ("key_on", "f8"),  # in: console beam key turned to enabled
    ("mains_ok", "f8"),  # in: 1.0 = mains within band
    ("room_monitor_ok", "f8"),  # in: 1.0 = cameras and intercom work
    ("service_mode", "f8"),  # in: 1.0 = service switch is on
    ("bypass", "f8"),  # in: 1.0 = a bypass plug is fitted
    ("clearance_mm", "f8"),  # in: smallest distance between machine, couch and patient envelope
    ("kv_exposures", "i8"),  # in: exposures of the kV tube since power-up, by the generator's own counter
    ("surface_mm", "f8", (3,)),  # in: a point on the patient's skin as the surface monitor sees it, fixed frame
    ("surface_cycle", "i8"),  # in: when that was; -1 = no monitor
    ("breath_mm", "f8"),  # in: height of the chest above its exhale
])


class Couch(IntEnum):
    """Rows of `Image.couch`; the name of an axis record elsewhere is the machine file's."""

    LATERAL = 0
    LONGITUDINAL = 1
    VERTICAL = 2
    ROTATION = 3
    PITCH = 4
    ROLL = 5


class Image(NamedTuple):
    """All wires. Axis arrays are AXIS records; sizes come from the machine file."""

    gantry: Any  # (1,) deg
    collimator: Any  # (1,) deg
    jaws: Any  # (4,) mm: X1 X2 Y1 Y2; (2,) Y1 Y2 on machines with one diaphragm pair
    mlc: Any  # (2 n,) mm: bank A (X2 side) then bank B (X1 side), leaf 1 at -Y
    carriages: Any  # (2,) mm: A then B
    couch: Any  # (6,) mm, deg: see Couch
    kv_arms: Any  # (4,) mm: source vertical, detector vertical, lateral, longitudinal
    mv_arm: Any  # (3,) mm: detector vertical, lateral, longitudinal
    nodes: Any  # NODE (11,): see Node
    beam: Any  # BEAM (1,)
    safety: Any  # SAFETY (1,)
    room: Any  # ROOM (1,)


AXIS_DEVICES = ("gantry", "collimator", "jaws", "mlc", "carriages", "couch", "kv_arms", "mv_arm")


def records(n: int, dtype: np.dtype[Any], **fields: Any) -> Any:
    """n zeroed records with these fields set; `row.field` works in compiled and in plain Python."""
    rows = np.zeros(n, dtype)
    for name, value in fields.items():
        rows[name] = value
    return rows.view(np.recarray) if numba.config.DISABLE_JIT else rows


def new_image(sizes: dict[str, int]) -> Image:
    """All wires dead: switches 0.0, readings NaN until a device speaks. `sizes` gives axes per device."""
    nan = float("nan")
    axes = [records(sizes[name], AXIS, readback=nan, readback_2=nan) for name in AXIS_DEVICES]
    nodes = records(len(Node), NODE, sampled_cycle=-1_000_000, named=-1, apart_cycles=1.0)
    beam = records(1, BEAM, mu_1=nan, mu_2=nan, mode_sensed=-1, energy_ratio=nan, quadrants=nan)
    room = records(1, ROOM, clearance_mm=nan, surface_mm=nan, surface_cycle=-1, breath_mm=nan)
    return Image._make((*axes, nodes, beam, records(1, SAFETY, mu_backup=nan, beam_s=nan), room))
