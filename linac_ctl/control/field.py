"""The field in hand: dose leads, every axis is where the delivered MU says, and the dose slows to the slowest axis."""

from math import sqrt

from device_models.interface.compiled import compiled
from device_models.interface.grid import on_grid
from device_models.interface.image import DT_S

from .phases import Hold, Reaction
from .ramp import aim_at, interpolate, ramp
from .signals import Signal

BLOCKS_BEAM = int(Reaction.BEAM_HOLD | Reaction.BEAM_OFF | Reaction.PREVENT_START)
NORMAL, HELD = int(Hold.NORMAL), int(Hold.HOLD)
LAST_PULSES = 0.1  # pulses per cycle asked for when less than half a pulse is left
SLOWEST = 0.05  # share of the dose rate that is left when an axis lags as far as it may
RUN_UP_PATIENCE = 20  # cycles that an arc keeps moving while it waits for a late first pulse
AWAY = (int(Signal.GANTRY_AWAY), int(Signal.COLLIMATOR_AWAY), int(Signal.JAW_AWAY), int(Signal.LEAF_AWAY),
        int(Signal.CARRIAGE_AWAY))


@compiled
def slow_down(signals, param):
    """1.0 while all axes keep up; SLOWEST where the deviation holds the beam: dose that stopped before that would leave a
    stuck axis waiting inside its limit, and nothing would ever trip. 0.0 without a reading.

    The gantry is behind by no more than both of its encoders say: dose that slowed for one wrong reading would leave an arc
    ahead of its dose."""
    factor = 1.0
    gantry_deg = signals[Signal.GANTRY_OFF_DEG] - signals[Signal.GANTRY_SPLIT_DEG]
    for lag in (gantry_deg * param.per_gantry_hold, signals[Signal.LEAF_OFF_MM] * param.per_leaf_hold,
                signals[Signal.JAW_OFF_MM] * param.per_jaw_hold):
        share = (1.0 - lag) / (1.0 - param.slow_down_at)
        share = SLOWEST if share < SLOWEST else share
        factor = factor if share >= factor else (share if share > 0.0 else 0.0)
    return factor


@compiled
def choose_rate(job, trajectory, signals, param):
    """MU/s for this cycle: segment limit, what the next control point allows, acceleration, laggards, dose left."""
    s = job.segment
    ahead = max(trajectory.mu[s + 1] - job.expected_mu, 0.0)
    rate = min(trajectory.rate[s], sqrt(trajectory.node_rate2[s + 1] + 2.0 * trajectory.accel[s] * ahead))
    rate = min(rate, ahead / DT_S + sqrt(trajectory.node_rate2[s + 1]))  # a cycle does not run through a control point
    if s > 0 and trajectory.move[s - 1] == 0:  # and what was slow there gathers speed from there
        behind = max(job.expected_mu - trajectory.mu[s], 0.0)
        rate = min(rate, sqrt(trajectory.node_rate2[s] + 2.0 * trajectory.accel[s] * behind))
    rate = min(rate, job.rate_mu_per_s + trajectory.accel[s] * DT_S)
    rate = rate * slow_down(signals, param)
    left = trajectory.stop_mu[s] - signals[Signal.MU_1] - job.half_pulse_mu
    last = max(left, LAST_PULSES * job.pulse_mu)  # the modulator owes or is owed up to half a pulse
    return max(min(rate, last / DT_S), 0.0)


@compiled
def count_dose(job, trajectory, signals, param):
    """Advance the commanded dose and let it follow the chamber, within what may be reached before the next stop."""
    gain = 1.0 if job.flowing == 1 else param.servo_gain
    job.expected_mu += gain * (signals[Signal.MU_1] - job.expected_mu)
    job.expected_mu += job.rate_mu_per_s * DT_S
    job.expected_mu = min(job.expected_mu, trajectory.stop_mu[job.segment])


@compiled
def find_segment(job, trajectory):
    """The segment that holds the commanded dose; never across a motion without dose."""
    while (job.segment < job.points - 2 and job.expected_mu >= trajectory.mu[job.segment + 1]
           and trajectory.move[job.segment + 1] == 0):
        job.segment += 1


@compiled
def place_axes(job, trajectory, image):
    """Setpoints of all beam-shaping axes at the commanded dose."""
    s = job.segment
    width = trajectory.mu[s + 1] - trajectory.mu[s]
    f = (job.expected_mu - trajectory.mu[s]) / width if width > 0.0 else 1.0
    f = max(min(f, 1.0), 0.0)
    interpolate(image.gantry, trajectory.gantry[s], trajectory.gantry[s + 1], f)
    interpolate(image.collimator, trajectory.collimator[s], trajectory.collimator[s + 1], f)
    interpolate(image.jaws, trajectory.jaws[s], trajectory.jaws[s + 1], f)
    interpolate(image.mlc, trajectory.mlc[s], trajectory.mlc[s + 1], f)
    interpolate(image.carriages, trajectory.carriages[s], trajectory.carriages[s + 1], f)


@compiled
def run_up(job, image):
    """Bring the gantry to speed behind the starting angle; it passes there when run_up_left is zero."""
    left_s = job.run_up_left * DT_S
    done_s = max(job.run_up_cycles - job.run_up_left, 0) * DT_S  # before that: a slow gun, standing still
    speed = job.run_up_deg_per_s
    rising_s = abs(speed) / job.run_up_accel
    if done_s < rising_s:
        all_s = job.run_up_cycles * DT_S
        begin = job.run_up_to_deg - speed * (all_s - 0.5 * rising_s)
        image.gantry[0].setpoint = on_grid(begin + 0.5 * speed / rising_s * done_s * done_s)
    elif job.run_up_left > -RUN_UP_PATIENCE:
        image.gantry[0].setpoint = on_grid(job.run_up_to_deg - speed * left_s)
    job.run_up_left -= 1


@compiled
def aim_at_point(control, point):
    """Goals of all beam-shaping axes: one control point."""
    trajectory = control.trajectory
    aim_at(control.gantry, trajectory.gantry[point])
    aim_at(control.collimator, trajectory.collimator[point])
    aim_at(control.jaws, trajectory.jaws[point])
    aim_at(control.mlc, trajectory.mlc[point])
    aim_at(control.carriages, trajectory.carriages[point])


@compiled
def ramp_beam_axes(control, image):
    """One cycle of motion without dose."""
    ramp(control.gantry, image.gantry)
    ramp(control.collimator, image.collimator)
    ramp(control.jaws, image.jaws)
    ramp(control.mlc, image.mlc)
    ramp(control.carriages, image.carriages)


@compiled
def all_there(signals):
    """Every beam-shaping axis is within tolerance of its goal."""
    for i in AWAY:  # noqa: SIM110  compiled code has no generators
        if not (signals[i] <= 1.0):  # NaN is not there
            return False
    return True


@compiled
def between_points(control, image):
    """Motion without dose inside a field: leaves of a step-and-shoot segment, or the carriages of a wide one."""
    job = control.job[0]
    ramp_beam_axes(control, image)
    job.arrived_cycles = job.arrived_cycles + 1 if all_there(control.signals) else 0
    if job.arrived_cycles >= control.param[0].settle_cycles:
        job.arrived_cycles = job.moving = 0
        job.segment += 1
        job.expected_mu = max(control.trajectory.mu[job.segment], control.signals[Signal.MU_1])
        enter_motion(control)


@compiled
def enter_motion(control):
    """If the next thing to do is a motion without dose, aim at its end."""
    job, trajectory = control.job[0], control.trajectory
    if job.segment <= job.points - 2 and trajectory.move[job.segment] == 1:
        job.moving, job.arrived_cycles = 1, 0
        aim_at_point(control, job.segment + 1)


@compiled
def reach_stop(control):
    """The beam has arrived where the next segment is a motion: step onto it."""
    job, trajectory = control.job[0], control.trajectory
    if job.moving == 1 or not (control.signals[Signal.MU_1] >= trajectory.stop_mu[job.segment] - job.half_pulse_mu):
        return
    while job.segment < job.points - 2 and trajectory.move[job.segment] == 0:
        job.segment += 1
    enter_motion(control)


@compiled
def permit_field(job):
    """1 if this cycle may have beam: nothing blocks, no motion without dose, the arc is up to speed."""
    ready = job.moving == 0 and job.run_up_left <= job.permit_lead
    return 1 if ready and (job.reactions & BLOCKS_BEAM) == 0 else 0


@compiled
def follow_field(control, image):
    """One cycle of a field: permit, dose rate, and all setpoints at the dose."""
    job, trajectory = control.job[0], control.trajectory
    job.permit = permit_field(job)
    job.flowing = 0 if job.permit == 0 else job.flowing
    if job.moving == 1:
        between_points(control, image)
    elif job.run_up_left > 0 or (job.run_up_cycles > 0 and job.flowing == 0 and job.permit == 1):
        run_up(job, image)
        job.rate_mu_per_s = job.start_rate_mu_per_s * job.permit
    else:
        job.run_up_cycles = 0
        job.rate_mu_per_s = choose_rate(job, trajectory, control.signals, control.param[0]) if job.permit == 1 else 0.0
        if job.flowing == 0:  # axes stand: the first pulses find them with room to gather speed
            job.rate_mu_per_s = min(job.rate_mu_per_s, job.start_rate_mu_per_s)
        if job.flowing > 0:
            count_dose(job, trajectory, control.signals, control.param[0])
            find_segment(job, trajectory)
        place_axes(job, trajectory, image)
    job.hold = NORMAL if job.permit == 1 or job.run_up_left > 0 else HELD
