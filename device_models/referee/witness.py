"""One row per cycle: what is true, what the wires said, what the controller claims. Compiled, and cheap enough for every run."""

from ..interface.compiled import compiled
from ..interface.heartbeat import answer
from .columns import TRACE_FULL, Flag
from .inline import look

PERMIT, CHANNEL, CHAIN, HEARTBEAT = int(Flag.PERMIT), int(Flag.CHANNEL), int(Flag.CHAIN), int(Flag.HEARTBEAT)
HV_REQUEST, ARM, RESET, CLEAR = int(Flag.HV_REQUEST), int(Flag.ARM), int(Flag.RESET), int(Flag.CLEAR_DOSE)
SELFTEST, HV_ON, DOOR, ESTOP, MAINS = int(Flag.SELFTEST), int(Flag.HV_ON), int(Flag.DOOR), int(Flag.ESTOP), int(Flag.MAINS)
BAR, GUARD, KEY, PATIENT, ALIVE = int(Flag.BAR), int(Flag.GUARD), int(Flag.KEY), int(Flag.PATIENT), int(Flag.ALIVE)
INHIBIT, TOKEN, BAR_NEEDED, DRIVES = int(Flag.INHIBIT), int(Flag.TOKEN_NEEDED), int(Flag.BAR_NEEDED), int(Flag.DRIVES)
OLD = int(Flag.OLD)
MLC_BIT = 8  # of `enable`: Node.MLC
LEAVES_PER_CYCLE = 4  # a leaf that goes too fast for 0.3 s is seen
MAGNET = 3  # of the live parameters
SAID_CYCLES = 1  # a permit is good for the cycle it was given in; one frame may be late
NEVER = -1_000_000  # a stamp below this is no stamp: the node has not spoken yet
NAN = float("nan")


@compiled
def bit(condition, value):
    """`value` if so."""
    return value if condition else 0


@compiled
def hear(trace, image, plant, cycle):
    """Before the machine moves: what it is told in this cycle. The controller may take some of it back before the cycle ends."""
    state, beam, safety = trace.state[0], image.beam[0], image.safety[0]
    heard = bit(beam.permit == 1.0, PERMIT) | bit(beam.hv_request == 1.0, HV_REQUEST) | bit(beam.clear_dose == 1.0, CLEAR)
    heard |= bit(safety.arm == 1.0, ARM) | bit(safety.reset == 1.0, RESET) | bit(safety.selftest == 1.0, SELFTEST)
    heard |= bit(safety.response == answer(plant.safety[0].challenge), HEARTBEAT)
    heard |= bit(beam.said_cycle != 0 and abs(cycle - beam.said_cycle) > SAID_CYCLES, OLD)
    state.heard, state.rate_mu_per_s = heard, beam.rate_mu_per_s
    state.enable = 0
    for i in range(image.nodes.size):
        state.enable |= bit(image.nodes[i].enable == 1.0, 1 << i)


@compiled
def witness(trace, plant, image, cycle):
    """After the cycle: write the row; -> 0, or bits that end the block: a property is violated, the chunk is full."""
    state = trace.state[0]
    state.row = state.row if state.row < trace.rows.size else 0  # nobody has taken the full chunk away: over again
    state.leaf_row = state.leaf_row if state.leaf_row < trace.leaves.shape[0] else 0
    row = trace.rows[state.row]
    row.cycle = cycle
    write_dose(row, plant, image)
    write_wires(row, image, state)
    write_claims(row, trace.claims[0])
    row.bits = state.heard | truths(plant) | claimed(trace.claims[0], state)
    write_axes(row, plant, image)
    write_nodes(row, image.nodes, cycle)
    write_leaves(row, trace, plant, state)
    found = look(state, row)
    state.row += 1
    return found | bit(state.row >= trace.rows.size or state.leaf_row >= trace.leaves.shape[0], TRACE_FULL)


@compiled
def write_dose(row, plant, image):
    """Dose, pulses, mode and the channel's own figures: truth; both counters: wires."""
    beam, safety, wire = plant.beam[0], plant.safety[0], image.beam[0]
    row.total_mu, row.pulses = beam.true_total_mu, beam.pulses_now
    row.energy = plant.live[MAGNET].value * beam.energy_factor
    row.place, row.mode = place(plant.modes, plant.carousel[0]), wire.mode
    row.mu_1, row.mu_2 = wire.mu_1, wire.mu_2
    row.backup_mu, row.beam_s, row.limit_s = safety.mu_backup, safety.beam_s, safety.time_limit_s
    row.open, row.passed, row.loaded_mu = safety.open, safety.passed, safety.preset_mu
    row.accessory = beam.accessory


@compiled
def place(modes, carousel):
    """At which mode's place the carousel really is, whatever its switches say; -1 = at none."""
    found = -1
    for i in range(modes.size):
        found = i if abs(carousel.angle_deg - modes[i].carousel_deg) <= carousel.window_deg else found
    return found


@compiled
def write_wires(row, image, state):
    """What the controller asked for, and what the collision computer says."""
    safety, room = image.safety[0], image.room[0]
    row.rate_mu_per_s, row.enable = state.rate_mu_per_s, state.enable
    row.preset_mu, row.start_mu = safety.preset_mu, safety.start_mu
    row.clearance_mm, row.kv_exposures = room.clearance_mm, room.kv_exposures


@compiled
def write_claims(row, claims):
    """The controller's opinion, where a property is about it."""
    row.clock, row.phase, row.reactions, row.hold, row.beam = (
        claims.clock, claims.phase, claims.reactions, claims.hold, claims.beam)
    row.prescription, row.session = claims.prescription, claims.session
    row.expected_mu, row.end_mu, row.record_mu = claims.expected_mu, claims.end_mu, claims.record_mu
    row.token_cycle, row.evaluated, row.kv_asked = claims.token_cycle, claims.evaluated, claims.kv_asked
    for i in range(claims.tripped.size):
        row.tripped[i] = claims.tripped[i]


@compiled
def truths(plant):
    """Bits that come from the machine and the room themselves."""
    room, beam = plant.room[0], plant.beam[0]
    chain = room.door_1 == 1.0 and room.door_2 == 1.0 and room.estop_ok == 1.0 and room.mains_ok == 1.0
    found = bit(plant.safety[0].permit == 1.0, CHANNEL) | bit(chain, CHAIN) | bit(beam.hv_on == 1.0, HV_ON)
    found |= bit(plant.safety[0].motion == 1.0, DRIVES)
    found |= bit(room.door_closed == 1.0, DOOR) | bit(room.estop_ok == 1.0, ESTOP) | bit(room.mains_ok == 1.0, MAINS)
    found |= bit(room.motion_enable == 1.0, BAR) | bit(room.touchguard_ok == 1.0, GUARD) | bit(room.key_on == 1.0, KEY)
    return found | bit(room.patient_present == 1.0, PATIENT)


@compiled
def claimed(claims, state):
    """Bits that come from the controller, and whether it is alive at all."""
    alive, state.clock = claims.clock != state.clock, claims.clock
    found = bit(alive, ALIVE) | bit(claims.inhibit == 1, INHIBIT)
    return found | bit(claims.token_needed == 1, TOKEN) | bit(claims.bar_needed == 1, BAR_NEEDED)


@compiled
def standing(drives, wires, i):
    """Where an axis really is; of one outside this process only its second encoder knows. NaN = not fitted."""
    if i < drives.size:
        return drives[i].position
    return wires[i].readback_2 if i < wires.size else NAN


@compiled
def asked(wires, i):
    """Setpoint of an axis; NaN = not fitted."""
    return wires[i].setpoint if i < wires.size else NAN


@compiled
def write_axes(row, plant, image):
    """Where everything is, and where gantry, collimator and couch should be."""
    row.gantry_deg, row.gantry_set_deg = standing(plant.gantry, image.gantry, 0), asked(image.gantry, 0)
    row.collimator_deg = standing(plant.collimator, image.collimator, 0)
    row.collimator_set_deg = asked(image.collimator, 0)
    for i in range(4):
        row.jaw_mm[i] = standing(plant.jaws, image.jaws, i)
        row.kv_arm_mm[i] = standing(plant.kv_arms, image.kv_arms, i)
    for i in range(6):
        row.couch[i], row.couch_set[i] = standing(plant.couch, image.couch, i), asked(image.couch, i)
    for i in range(2):
        row.carriage_mm[i] = standing(plant.carriages, image.carriages, i)
    for i in range(3):
        row.mv_arm_mm[i] = standing(plant.mv_arm, image.mv_arm, i)


@compiled
def write_nodes(row, wires, cycle):
    """Who has drive power asked for, and the age of the oldest reading by its own stamp, cycles."""
    worst = asked = 0
    for i in range(wires.size):
        asked |= bit(wires[i].enable == 1.0, 1 << i)
        taken = wires[i].sampled_cycle
        age = cycle - taken
        worst = age if age > worst and taken > NEVER else worst
    row.asked, row.age_cycles = asked, worst


@compiled
def write_leaves(row, trace, plant, state):
    """Places of all leaves in cycles with pulses; speeds of some in turn, of all without drive power."""
    drives = plant.mlc
    row.leaf_row, row.leaf_mm_per_s = -1, 0.0
    if drives.size == 0:
        return
    if row.pulses > 0:
        row.leaf_row = state.leaves_before + state.leaf_row
        place_mm = trace.leaves[state.leaf_row]
        for i in range(drives.size):
            place_mm[i] = drives[i].position
        state.leaf_row += 1
    first, last = state.next_leaf, min(state.next_leaf + LEAVES_PER_CYCLE, drives.size)
    if (row.enable & MLC_BIT) == 0:
        first, last = 0, drives.size
    fastest = 0.0
    for i in range(first, last):
        speed = abs(drives[i].velocity + drives[i].creep)
        fastest = speed if speed > fastest else fastest
    row.leaf_mm_per_s = fastest
    state.next_leaf = last if last < drives.size else 0
