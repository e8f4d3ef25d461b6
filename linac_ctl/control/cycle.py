"""The scan cycle. `outputs` writes the image, the machine answers, `inputs` reads it. Pure: no clock, no I/O, no allocation.

A trip takes the permit away inside `inputs`, in the cycle that saw it. State machines, logs and people hear afterwards.
"""

from device_models.interface.compiled import compiled
from device_models.interface.grid import on_grid
from device_models.interface.heartbeat import REFUSAL, answer
from device_models.interface.image import DT_S, Node

from ..interlocks.scan import scan
from .field import follow_field, reach_stop
from .journal import settled
from .measure import measure
from .phases import Event, Hold, Phase, Reaction
from .ramp import ramp, stay, take_up
from .rows import write_row
from .signals import Signal
from .worst import NAN

IDLE, MOVE, READY, BEAM, STOPPED = (int(phase) for phase in Phase)
BEAM_OFF, HOLD, MOTION_STOP = int(Reaction.BEAM_OFF), int(Reaction.BEAM_HOLD), int(Reaction.MOTION_STOP)
BLOCKS_MOTION = int(Reaction.MOTION_STOP | Reaction.PREVENT_MOTION)
BLOCKS_BEAM = int(Reaction.BEAM_OFF | Reaction.BEAM_HOLD | Reaction.PREVENT_START)
TRIPPED, WATCH_HIT, FIELD_END, HOLD_EDGE, ROWS_FULL = (int(event) for event in Event)
NORMAL, HELD = int(Hold.NORMAL), int(Hold.HOLD)
BEAM_NODE, DEAF_CYCLES, FRESH_CYCLES = int(Node.BEAM), 3, 2
FORGET_DEG_PER_S, FORGET_MM_PER_S = 5.5 * DT_S, 40.0 * DT_S  # per cycle: a commanded speed counts until this has eaten it


@compiled
def take_up_all(control, image):
    """Every axis asks for nothing but where it stands."""
    take_up(control.gantry, image.gantry)
    take_up(control.collimator, image.collimator)
    take_up(control.jaws, image.jaws)
    take_up(control.mlc, image.mlc)
    take_up(control.carriages, image.carriages)
    take_up(control.couch, image.couch)
    take_up(control.kv_arms, image.kv_arms)
    take_up(control.mv_arm, image.mv_arm)


@compiled
def stay_all(control, image):
    """Forget every goal: setpoints freeze where they are."""
    stay(control.gantry, image.gantry)
    stay(control.collimator, image.collimator)
    stay(control.jaws, image.jaws)
    stay(control.mlc, image.mlc)
    stay(control.carriages, image.carriages)
    stay(control.couch, image.couch)
    stay(control.kv_arms, image.kv_arms)
    stay(control.mv_arm, image.mv_arm)


@compiled
def ramp_all(control, image):
    """Every axis towards its goal."""
    ramp(control.gantry, image.gantry)
    ramp(control.collimator, image.collimator)
    ramp(control.jaws, image.jaws)
    ramp(control.mlc, image.mlc)
    ramp(control.carriages, image.carriages)
    ramp(control.couch, image.couch)
    ramp(control.kv_arms, image.kv_arms)
    ramp(control.mv_arm, image.mv_arm)


@compiled
def forget_places(job, image):
    """A setpoint that is taken up has not been walked to: it says nothing about speed."""
    job.gantry_before_deg = image.gantry[0].setpoint
    for i in range(min(3, image.couch.size)):
        job.couch_before_mm[i] = image.couch[i].setpoint


@compiled
def give_power(control, image):
    """Ask for drive power unless a reaction or a stop forbids it; coming back, start from where things stand."""
    job = control.job[0]
    wanted = 0 if (job.reactions & MOTION_STOP) != 0 or job.phase == STOPPED else 1
    for i in range(image.nodes.size):
        image.nodes[i].enable, image.nodes[i].said_cycle = float(wanted), job.cycle
    if wanted == 1 and job.enabled == 0:
        take_up_all(control, image)
        forget_places(job, image)
    job.enabled = wanted


@compiled
def move(control, image):
    """Setpoints of this cycle."""
    job = control.job[0]
    if job.phase == BEAM:
        follow_field(control, image)
        ramp(control.couch, image.couch)
        return
    job.permit, job.rate_mu_per_s, job.flowing = 0, 0.0, 0
    if job.enabled == 0 or (job.reactions & BLOCKS_MOTION) != 0:
        stay_all(control, image)
    else:
        ramp_all(control, image)


@compiled
def remember_speeds(control, image):
    """The highest commanded speed of an axis of late, no more than it may have: motion above it is motion that nobody asked for."""
    job = control.job[0]
    job.gantry_deg_per_s = (image.gantry[0].setpoint - job.gantry_before_deg) / DT_S
    asked = min(abs(job.gantry_deg_per_s), control.gantry[0].speed)
    job.gantry_asked_deg_per_s = max(asked, job.gantry_asked_deg_per_s - FORGET_DEG_PER_S)
    job.gantry_before_deg = image.gantry[0].setpoint
    for i in range(min(3, image.couch.size)):
        asked = min(abs(image.couch[i].setpoint - job.couch_before_mm[i]) / DT_S, control.couch[i].speed)
        job.couch_asked_mm_per_s[i] = max(asked, job.couch_asked_mm_per_s[i] - FORGET_MM_PER_S)
        job.couch_before_mm[i] = image.couch[i].setpoint


@compiled
def give_permit(job, beam):
    """The permit of this cycle on the wire, and the rate; the first pulse is told from the counter at the edge."""
    if job.permit == 1 and beam.permit < 0.5:
        job.pulses_at_permit = beam.pulses
    beam.permit = float(job.permit)
    beam.rate_mu_per_s = on_grid(job.rate_mu_per_s * job.permit)
    job.low_cycles = 0 if job.permit == 1 else job.low_cycles + 1
    job.high_cycles = job.high_cycles + 1 if job.permit == 1 else 0
    job.beam_s += DT_S * job.permit
    job.flowing_s += DT_S if job.permit == 1 and job.flowing > 0 else 0.0


@compiled
def outputs(control, image):
    """Everything the controller says in this cycle."""
    job, safety = control.job[0], image.safety[0]
    job.cycle += 1
    heard = job.cycle - image.nodes[BEAM_NODE].sampled_cycle <= DEAF_CYCLES and job.radiating == 0
    safety.response = answer(safety.challenge) if heard else REFUSAL  # a source that is deaf or stuck: the other channel stops it
    safety.preset_mu, safety.time_limit_s = on_grid(job.preset_mu), on_grid(job.time_limit_s)
    give_power(control, image)
    held = job.hold
    move(control, image)
    remember_speeds(control, image)
    give_permit(job, image.beam[0])
    image.beam[0].said_cycle = job.cycle
    job.events |= HOLD_EDGE if job.phase == BEAM and held != job.hold else 0


@compiled
def test_watches(watches, signals):
    """-> how many awaited conditions have now held long enough."""
    hits = 0
    for i in range(watches.size):
        w = watches[i]
        good = w.sense * signals[w.signal] <= w.sense * w.limit
        w.good_cycles = (w.good_cycles + 1) * w.armed if good else 0
        hits += 1 if (w.good_cycles >= w.settle) & (w.armed == 1) else 0
    return hits


@compiled
def drop_permit(job, beam):
    """No pulses from here on."""
    job.permit, job.rate_mu_per_s, job.flowing = 0, 0.0, 0
    beam.permit = beam.rate_mu_per_s = 0.0


@compiled
def drop_power(image):
    """No drive power from here on, even if this is the controller's last cycle."""
    for i in range(image.nodes.size):
        image.nodes[i].enable = 0.0


@compiled
def react(control, image):
    """What the reactions in force mean for this very cycle."""
    job, beam = control.job[0], image.beam[0]
    if (job.reactions & MOTION_STOP) != 0:
        drop_power(image)
    if (job.reactions & BLOCKS_BEAM) != 0:
        drop_permit(job, beam)
    if (job.reactions & BEAM_OFF) != 0 and (job.phase == BEAM or job.phase == READY):
        job.phase, job.hold = STOPPED, HELD
        stay_all(control, image)
    if (job.reactions & BEAM_OFF) != 0:
        beam.hv_request = 0.0


@compiled
def coast(job, aim, wire):
    """The gantry of an arc comes to rest past the last angle, as fast as it may."""
    speed = job.gantry_deg_per_s
    far = speed * speed / (2.0 * aim.accel)
    aim.goal = wire.setpoint + (far if speed > 0.0 else -far)
    aim.velocity = speed


@compiled
def end_field(control, image):
    """All MU are in: primary termination by chamber 1, to the nearest pulse."""
    job = control.job[0]
    if job.phase != BEAM or not (control.signals[Signal.MU_LEFT] <= job.half_pulse_mu):
        return
    drop_permit(job, image.beam[0])
    job.phase, job.hold, job.segment = MOVE, HELD, job.points - 2
    job.expected_mu = job.mu_end
    stay_all(control, image)
    coast(job, control.gantry[0], image.gantry[0])
    job.events |= FIELD_END


@compiled
def write_journal(control, image):
    """Delivered MU of the field in hand, where a killed process cannot lose them. What was given stays given: it never falls."""
    job, param = control.job[0], control.param[0]
    if job.slot < 0:
        return
    entry = control.journal[job.slot]
    entry.mu_1, entry.mu_2 = control.signals[Signal.MU_1], control.signals[Signal.MU_2]
    entry.mu_backup, entry.cycle = image.safety[0].mu_backup, job.cycle
    heard = abs(job.cycle - image.nodes[BEAM_NODE].sampled_cycle) <= FRESH_CYCLES  # old counts of chambers are none
    mu_1, mu_2 = (entry.mu_1, entry.mu_2) if heard else (NAN, NAN)
    entry.mu = max(entry.mu, settled(mu_1, mu_2, entry.mu_backup, param.split_floor_mu, param.split_ratio))


@compiled
def inputs(control, image):
    """Everything the controller concludes in this cycle; -> Event bits."""
    job, signals = control.job[0], control.signals
    measure(control, image)
    job.reactions, changed, job.evaluated = scan(control.interlocks, signals, job.phase, job.cycle)
    react(control, image)
    signals[Signal.TRIP_TO_PERMIT_CYCLES] = 1.0 if (job.reactions & BLOCKS_BEAM) != 0 and image.beam[0].permit > 0.5 else 0.0
    end_field(control, image)
    if job.phase == BEAM:
        reach_stop(control)
    write_journal(control, image)
    if job.cycle % job.row_every == 0:
        job.events |= write_row(control, image)
    job.events |= TRIPPED if changed else 0
    job.events |= WATCH_HIT if test_watches(control.watches, signals) else 0
    return job.events
