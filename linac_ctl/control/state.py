"""The controller's own memory, next to the image: aims, the field in hand, the tables. Records, one place, no objects."""

from typing import Any, NamedTuple

import numpy as np

from device_models.interface.image import AXIS_DEVICES, DT_S, records
from linac_ctl.config.machine import AxisConfig, MachineConfig

from .journal import JOURNAL, SLOTS
from .phases import Phase
from .signals import N_SIGNALS, Signal

AIM = np.dtype([
    ("goal", "f8"),  # where the subsystem wants to end up
    ("velocity", "f8"),  # of the setpoint, unit per s
    ("rest", "f8"),  # what the wire's grid leaves over of the place asked for
    ("speed", "f8"),  # fastest setpoint motion, unit per s
    ("accel", "f8"),  # unit per s2
    ("per_tolerance", "f8"),  # 1 / tolerance
    ("middle", "f8"),  # of the range
    ("half", "f8"),  # of the range
    ("seen", "f8"),  # last cycle's readback
    ("seen_2", "f8"),  # and of the second encoder
    ("asked", "f8"),  # last cycle's setpoint
    ("pace", "f8"),  # highest speed of the setpoint of late, unit per s
    ("stray", "f8"),  # how far it has gone away from its setpoint by itself
])

JOB = np.dtype([
    ("cycle", "i8"),
    ("phase", "i8"),  # Phase
    ("reactions", "i8"),  # Reaction bits in force since the last scan
    ("enabled", "i8"),  # drive power was wanted last cycle
    # the field in hand
    ("beam_number", "i8"),  # DICOM beam number, which may be 0; -1 = no field in hand
    ("slot", "i8"),  # journal record; -1 = none
    ("points", "i8"),
    ("segment", "i8"),
    ("expected_mu", "f8"),  # the commanded dose; the axes follow it, and it follows chamber 1
    ("mu_offset", "f8"),  # MU of this field from earlier partial deliveries
    ("mu_end", "f8"),
    ("half_pulse_mu", "f8"),
    ("pulse_mu", "f8"),
    ("max_rate_mu_per_s", "f8"),
    ("rate_mu_per_s", "f8"),
    ("start_rate_mu_per_s", "f8"),  # of the first pulses: an arc is at speed by then
    ("rate_mean_mu_per_s", "f8"),  # commanded, about 0.1 s
    ("permit", "i8"),
    ("permit_lead", "i8"),  # cycles before the end of run-up at which the permit is given
    ("flowing", "i8"),  # cycles since the first pulse under this permit; 0 = none yet
    ("pulses_at_permit", "i8"),
    ("low_cycles", "i8"),  # cycles since the permit fell
    ("high_cycles", "i8"),  # cycles since the permit rose
    ("radiating", "i8"),  # cycles for which the heartbeat stays away: there were pulses without permit
    ("hold", "i8"),  # Hold
    ("moving", "i8"),  # 1 = between control points without dose
    ("arrived_cycles", "i8"),
    ("beam_s", "f8"),
    ("timer_ahead_s", "f8"),  # of the channel's timer, before this permit
    ("flowing_s", "f8"),  # beam-on time of the field, all attempts together
    ("longest_s", "f8"),  # that it may have
    ("selecting", "i8"),  # 1 = another mode was asked for, and is not sensed yet
    ("run_up_left", "i8"),  # cycles until the arc starts; below zero: waiting for the first pulse
    ("run_up_cycles", "i8"),
    ("run_up_to_deg", "f8"),
    ("run_up_deg_per_s", "f8"),
    ("run_up_accel", "f8"),
    # what was armed
    ("prescription", "i8"),
    ("armed_prescription", "i8"),
    ("session", "i8"),
    ("armed_session", "i8"),
    ("preset_mu", "f8"),
    ("time_limit_s", "f8"),
    ("accessory", "i8"),
    # filters of measured things
    ("last_mu_1", "f8"),
    ("last_mu_2", "f8"),
    ("last_pulses", "i8"),
    ("last_missed", "i8"),
    ("missed_mean", "f8"),
    ("pulse_rate_mean", "f8"),  # nominal MU from the pulse counter, about 1 s
    ("mu_rate_mean", "f8", (2,)),  # either chamber, about 1 s
    ("gantry_asked_deg_per_s", "f8"),  # highest commanded speed of the last second
    ("couch_asked_mm_per_s", "f8", (3,)),
    ("gantry_before_deg", "f8"),  # last cycle's setpoint
    ("gantry_deg_per_s", "f8"),  # speed of the setpoint
    ("gantry_sampled", "i8"),  # cycle of its latest reading
    ("gantry_still", "i8"),  # readings in a row that were the same to the last digit
    ("couch_before_mm", "f8", (3,)),
    ("leaf_rms2", "f8"),
    ("symmetry_mean", "f8", (2,)),
    ("door_open_cycle", "i8", (2,)),  # in which each contact of the door said open last
    ("door_cycled", "f8"),  # 1.0 = both did, shortly before the door closed behind the last person; or nobody was in since power-up
    ("person_out", "i8"),  # last cycle
    ("bar_held", "i8"),  # last cycle
    ("guard_test_left", "i8"),  # cycles in which the touch guards are to be seen open: they test themselves
    ("guards_open", "i8", (2,)),  # contacts of the guards that were
    ("guards_tested", "f8"),  # 1.0 = both were, when the bar was taken last; or nobody has taken it since power-up
    ("bar_needed", "f8"),  # 1.0 = motion needs a held motion-enable bar (staff in the room)
    # the approved position of the patient
    ("token_needed", "f8"),  # 0.0 = this workflow has none; anything else: no beam without
    ("token_cycle", "i8"),  # cycle of the images that the approval rests on; -1 = none in force, -2 = the skin moved
    ("token_couch", "f8", (6,)),  # where the couch stands while the approval holds, mm and deg, as `Couch`
    ("image_couch", "f8", (6,)),  # where the couch stood while the latest images were taken; NaN = there are none
    ("image_moved_mm", "f8"),  # farthest that it has been from there since, way; coming back does not undo it
    ("image_moved_deg", "f8"),  # worst of the three turns
    # the patient during the beam
    ("target_watched", "f8"),  # 0.0 = this protocol takes no triggered images
    ("target_off_mm", "f8"),  # in the latest of them; NaN = not found
    ("target_limit_mm", "f8"),
    ("target_patience_s", "f8"),  # out of the limit for this long holds the beam
    ("target_cycle", "i8"),  # of its exposure
    ("target_longest_s", "f8"),  # between two of them
    ("target_out", "i8"),  # cycles
    ("surface_watched", "f8"),
    ("surface_reference_mm", "f8", (3,)),  # where the skin was when the position was approved
    ("surface_limit_mm", "f8"),
    ("surface_patience_s", "f8"),
    ("surface_excursion_mm", "f8"),  # ends the approval at once
    ("surface_out", "i8"),  # cycles
    ("gate_mm", "f8"),  # 0.0 = no gate
    ("kv_asked", "i8"),  # exposures that were asked for
    # bookkeeping
    ("row", "i8"),
    ("row_every", "i8"),
    ("evaluated", "i8"),
    ("events", "i8"),  # collected since the engine last looked
])

LIVE = ("gun_hv_kv", "gun_current_a", "pfn_kv", "afc_error_v", "rf_driver_v", "vacuum_ua", "gas_psi", "water_c")

PARAM = np.dtype([
    ("servo_gain", "f8"),
    ("slow_down_at", "f8"),
    ("split_floor_mu", "f8"),
    ("split_ratio", "f8"),
    ("angle_floor_mu", "f8"),
    ("angle_ratio", "f8"),
    ("chamber_hv_v", "f8"),
    ("settle_cycles", "i8"),
    ("per_gantry_hold", "f8"),  # 1 / deviation at which the beam is held
    ("per_leaf_hold", "f8"),
    ("per_jaw_hold", "f8"),
    ("live_middle", "f8", (len(LIVE),)),
    ("live_per_half", "f8", (len(LIVE),)),
])

WATCH = np.dtype([
    ("signal", "i8"),
    ("sense", "f8"),  # +1.0: fine while <= limit; -1.0: fine while >= limit
    ("limit", "f8"),
    ("settle", "i8"),
    ("good_cycles", "i8"),
    ("armed", "i8"),
])


class Trajectory(NamedTuple):
    """Control points against MU; every array has room for the longest field. Rates in MU/s, accelerations in MU/s2."""

    mu: Any  # (n,)
    point: Any  # (n,) control point of the plan
    rate: Any  # (n,) highest rate inside the segment that starts here
    node_rate2: Any  # (n,) square of the highest rate at this control point
    accel: Any  # (n,) highest change of rate inside the segment
    stop_mu: Any  # (n,) next MU at which the beam has to stop
    move: Any  # (n,) 1 = the segment that starts here is motion without dose
    check: Any  # (n,) sum over what is to be delivered at this control point, made from the plan and not from these tables
    gantry: Any  # (n, 1) deg
    collimator: Any  # (n, 1) deg
    jaws: Any  # (n, jaws) mm
    mlc: Any  # (n, leaves) mm
    carriages: Any  # (n, 2) mm


class Control(NamedTuple):
    """Everything the cycle reads and writes on the controller's side."""

    gantry: Any  # AIM per axis, as in the image
    collimator: Any
    jaws: Any
    mlc: Any
    carriages: Any
    couch: Any
    kv_arms: Any
    mv_arm: Any
    job: Any  # JOB (1,)
    param: Any  # PARAM (1,)
    signals: Any  # (N_SIGNALS,) f8: signals, then guards
    interlocks: Any  # interlocks.scan.ROW
    watches: Any  # WATCH (16,)
    trajectory: Trajectory
    journal: Any  # JOURNAL (SLOTS,)
    rows: Any  # float32 (row, column)


def aims(axes: tuple[AxisConfig, ...], copies: int = 1) -> Any:
    """AIM records for these axes; `copies` of one axis for leaves."""
    rows = records(len(axes) * copies, AIM)
    for i, axis in enumerate(a for a in axes for _ in range(copies)):
        half = (axis.high - axis.low) / 2
        middle = axis.low + half
        rows[i : i + 1] = np.array([(0.0, 0.0, 0.0, axis.speed, axis.accel, 1 / axis.tolerance, middle, half, *[0.0] * 5)], AIM)
    return rows


def leaf_aims(machine: MachineConfig) -> Any:
    """Bank A as configured, bank B mirrored about the axis."""
    if machine.mlc is None:
        return records(0, AIM)
    rows = aims((machine.mlc.leaf,), 2 * machine.mlc.pairs)
    rows["middle"][machine.mlc.pairs :] *= -1.0
    return rows


def new_trajectory(machine: MachineConfig, points: int) -> Trajectory:
    """Room for `points` control points."""
    sizes = machine.sizes()
    flat = [np.zeros(points) for _ in range(6)]
    axes = [np.zeros((points, sizes[name])) for name in ("gantry", "collimator", "jaws", "mlc", "carriages")]
    return Trajectory._make((*flat, np.zeros(points, np.int64), np.zeros(points), *axes))


def columns(machine: MachineConfig) -> list[str]:
    """Names of the row columns, with units."""
    names = ["cycle", "phase", "beam", "control_point", "permit", "hold", "rate_mu_per_s", "expected_mu", "mu_1", "mu_2",
             "reactions", "clearance_mm"]
    for name, unit in axis_names(machine):
        names += [f"{name}.setpoint_{unit}", f"{name}.readback_{unit}"]
    return names


def axis_names(machine: MachineConfig) -> list[tuple[str, str]]:
    """(name, unit) of every axis in image order; leaves are A1.. and B1.. from -Y to +Y."""
    found: list[tuple[str, str]] = []
    for device in AXIS_DEVICES:
        if device == "mlc":
            pairs = machine.mlc.pairs if machine.mlc else 0
            found += [(f"{bank}{i + 1}", "mm") for bank in "AB" for i in range(pairs)]
        else:
            found += [(axis.name, axis.unit) for axis in getattr(machine, device)]
    return found


def new_control(machine: MachineConfig, interlocks: Any, param: Any, *, points: int, rows: Any, journal: Any = None) -> Control:
    """A controller that knows nothing yet: guards and signals are NaN, nothing is enabled."""
    axes = [leaf_aims(machine) if d == "mlc" else aims(getattr(machine, d)) for d in AXIS_DEVICES]
    job = records(1, JOB, phase=int(Phase.IDLE), slot=-1, beam_number=-1, row_every=machine.row_every_cycles, low_cycles=1_000_000,
                  token_needed=1.0, token_cycle=-1, token_couch=np.nan, image_couch=np.nan, surface_reference_mm=np.nan,
                  door_cycled=1.0, door_open_cycle=-1000, person_out=1, bar_held=1, guards_tested=1.0, selecting=1, longest_s=1e9)
    signals = np.full(N_SIGNALS, np.nan)
    signals[[Signal.TRIP_TO_PERMIT_CYCLES, Signal.CHANNEL_REFUSED]] = 0.0  # these two are kept from cycle to cycle
    book = np.zeros(SLOTS, JOURNAL) if journal is None else journal
    book = book.view(np.recarray) if isinstance(job, np.recarray) else book
    tables = (signals, interlocks, records(16, WATCH), new_trajectory(machine, points))
    return Control._make((*axes, job, param, *tables, book, rows))


def cycles(seconds: float) -> int:
    """Whole cycles, at least one."""
    return max(1, round(seconds / DT_S))
