"""From wires to signals, once per cycle."""

from device_models.interface.compiled import compiled
from device_models.interface.image import Node

from .measure_axes import measure_leaf_speeds, measure_positions, measure_still, measure_unasked
from .measure_beam import forget_bad_means, measure_dose, measure_quality, measure_rates
from .measure_channel import measure_safety
from .measure_patient import measure_approval, measure_patient
from .measure_room import measure_room
from .measure_self import measure_self
from .phases import Hold, Phase
from .signals import Signal
from .worst import closed, lesser, worst

BEAM, NORMAL = int(Phase.BEAM), int(Hold.NORMAL)
MLC_NODE, BEAM_NODE = int(Node.MLC), int(Node.BEAM)
LIMITS_AT_MU_PER_S = 10.0  # 600 MU/min: limits of dose are stated for it, and go with the highest rate of the mode


@compiled
def measure_nodes(job, signals, nodes):
    """Age of the oldest reading, whose they are, drive power where it is asked for and nowhere else, reference positions."""
    age, misnamed, drives, calibrated = 0.0, 0.0, 1.0, 1.0
    for i in range(nodes.size):
        misnamed += 0.0 if nodes[i].named == i else 1.0
        age = worst(abs(float(job.cycle - nodes[i].sampled_cycle)), age)  # what comes from the future has no age that is known
        if i < BEAM_NODE:
            powered = nodes[i].powered if nodes[i].enable > 0.5 else 1.0 - nodes[i].powered
            drives = lesser(closed(powered), drives)
            calibrated = lesser(closed(nodes[i].calibrated), calibrated)
    signals[Signal.NODE_AGE_CYCLES] = age
    signals[Signal.NODES_MISNAMED] = misnamed
    signals[Signal.DRIVES_OK] = drives
    signals[Signal.CALIBRATED] = calibrated
    signals[Signal.MLC_CALIBRATED] = closed(nodes[MLC_NODE].calibrated)


@compiled
def out_of_step(gantry):
    """deg that the gantry is off its setpoint, by the worse of its encoders."""
    off = 0.0
    for i in range(gantry.size):
        off = worst(worst(abs(gantry[i].setpoint - gantry[i].readback), abs(gantry[i].setpoint - gantry[i].readback_2)), off)
    return off


@compiled
def measure_arc(job, signals, param, trajectory, gantry):
    """Dose and gantry angle out of step, as a share of what they may be; of the dose that flows, and of the next that would."""
    s = job.segment
    turned = abs(trajectory.gantry[s + 1, 0] - trajectory.gantry[s, 0])
    mu_per_deg = (trajectory.mu[s + 1] - trajectory.mu[s]) / turned if turned > 1e-6 else 0.0
    scale = max(job.max_rate_mu_per_s / LIMITS_AT_MU_PER_S, 1.0)
    allowed = max(param.angle_floor_mu * scale, param.angle_ratio * job.mu_end)
    in_field = job.phase == BEAM and job.moving == 0
    signals[Signal.ANGLE_BEHIND] = out_of_step(gantry) * mu_per_deg / allowed if in_field else 0.0
    signals[Signal.MU_ANGLE] = signals[Signal.ANGLE_BEHIND] if job.hold == NORMAL else 0.0  # held: the gantry runs out
    signals[Signal.RUN_UP_LEFT_CYCLES] = job.run_up_left


@compiled
def measure(control, image):
    """All signals of this cycle."""
    job, signals, beam = control.job[0], control.signals, image.beam[0]
    measure_still(control, image)
    measure_unasked(control, image)
    fastest, square = measure_positions(control, image)
    measure_leaf_speeds(control, image, fastest, square)
    measure_rates(job, signals, beam)
    forget_bad_means(job)
    measure_dose(job, signals, control.param[0], beam, image.safety[0].mu_backup)
    measure_quality(job, signals, control.param[0], beam)
    measure_safety(job, signals, image.safety[0])
    measure_room(job, signals, image.room[0])
    measure_nodes(job, signals, image.nodes)
    measure_arc(job, signals, control.param[0], control.trajectory, image.gantry)
    measure_approval(job, signals, image.couch)
    measure_patient(job, signals, image.room[0])
    measure_self(job, signals, control.interlocks, control.trajectory)
    lag = worst(signals[Signal.GANTRY_OFF_DEG] * control.param[0].per_gantry_hold,
                signals[Signal.JAW_OFF_MM] * control.param[0].per_jaw_hold)
    signals[Signal.MOTION_LAG] = worst(lag, signals[Signal.LEAF_OFF_MM] * control.param[0].per_leaf_hold)
