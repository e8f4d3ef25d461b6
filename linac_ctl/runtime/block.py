"""The one place where controller, plant and referee's witness are compiled together: a block of scan cycles."""

from device_models.interface.compiled import compiled
from device_models.plant import step_plant
from device_models.referee.witness import hear, witness

from ..control.cycle import BLOCKS_BEAM, TRIPPED, inputs, outputs
from ..interlocks.scan import in_force


@compiled
def run_block(control, image, plant, trace, cycles):
    """Run up to `cycles`; stop early on an event. -> (cycles done, Event bits)."""
    done = events = 0
    claim_latches(trace.claims[0], control.interlocks)  # people may have reset some since the last block
    while done < cycles and events == 0:
        outputs(control, image)
        cycle = control.job[0].cycle
        hear(trace, image, plant, cycle)
        step_plant(plant, image, cycle)
        events = inputs(control, image)
        events |= testify(control, image, plant, trace, cycle, events)
        done += 1
    return done, events


@compiled
def testify(control, image, plant, trace, cycle, events):
    """The referee's row of this cycle; -> Event bits."""
    claims = trace.claims[0]
    claim(claims, control)
    if events & TRIPPED:
        claim_latches(claims, control.interlocks)
    return witness(trace, plant, image, cycle)


@compiled
def claim(claims, control):
    """What the controller believes, for the properties that are about that."""
    job = control.job[0]
    claims.clock, claims.phase, claims.reactions, claims.hold = job.cycle, job.phase, job.reactions, job.hold
    claims.beam, claims.prescription, claims.session = job.beam_number, job.prescription, job.session
    claims.inhibit = 1 if (job.reactions & BLOCKS_BEAM) != 0 else 0
    claims.expected_mu, claims.end_mu = job.expected_mu, job.mu_end
    claims.record_mu = control.journal[job.slot].mu if job.slot >= 0 else 0.0
    claims.token_needed, claims.token_cycle = 1 if job.token_needed != 0.0 else 0, job.token_cycle
    claims.bar_needed = 1 if job.bar_needed > 0.5 else 0
    claims.evaluated, claims.kv_asked = job.evaluated, job.kv_asked


@compiled
def claim_latches(claims, rows):
    """One bit per interlock row in force."""
    for i in range(claims.tripped.size):
        claims.tripped[i] = 0
    for i in range(rows.size):
        claims.tripped[i >> 6] |= (in_force(rows[i]) | rows[i].escalated) << (i & 63)


@compiled
def answer(control, image, plant, trace):
    """The second half of a cycle, once at power-up."""
    hear(trace, image, plant, control.job[0].cycle)
    step_plant(plant, image, control.job[0].cycle)
    events = inputs(control, image)
    return events | testify(control, image, plant, trace, control.job[0].cycle, events)


# the parts of a cycle, for machines with ports: bytes cross between them


@compiled
def speak(control, image, plant, trace):
    """What the controller says."""
    outputs(control, image)
    hear(trace, image, plant, control.job[0].cycle)


@compiled
def step(plant, image, cycle):
    """What the machine does."""
    step_plant(plant, image, cycle)


@compiled
def conclude(control, image, plant, trace):
    """What the controller makes of it, and what the witness has seen; -> Event bits."""
    claim_latches(trace.claims[0], control.interlocks)
    events = inputs(control, image)
    return events | testify(control, image, plant, trace, control.job[0].cycle, events)
