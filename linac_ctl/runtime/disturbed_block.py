"""The cycle of a run with faults: wires may lie in both directions, and the controller's process may not be there.

The same functions in the same order as in `block`, with the disturbances between them; nothing of the controller knows.
"""

from device_models.disturb.moment import DUE, wait_for
from device_models.disturb.ramp import go_on
from device_models.disturb.twin import differs, shadow
from device_models.disturb.wire import lie, tell_truth
from device_models.interface.compiled import compiled
from device_models.plant import step_plant
from device_models.referee.witness import hear, witness

from ..control.cycle import inputs, outputs
from .block import claim_latches, testify


@compiled
def run_disturbed(control, image, plant, trace, disturbance, floats, wholes, cycles):
    """Run up to `cycles`; stop early on an event, or when a fault is due. -> (cycles done, Event bits)."""
    done = events = 0
    while done < cycles and events == 0:
        speak_disturbed(control, image, plant, trace, disturbance, floats, wholes)
        step_plant(plant, image, control.job[0].cycle)
        events = conclude_disturbed(control, image, plant, trace, disturbance, floats, wholes)
        done += 1
    return done, events


@compiled
def run_beside(control, image, plant, trace, disturbance, floats, wholes, beside, cycles):
    """As `run_disturbed` with a twin, until one of them does something that the other does not.

    -> (cycles done, Event bits, 1 = they differ: the cycle in hand is not concluded yet).
    """
    done = events = 0
    while done < cycles and events == 0:
        speak_disturbed(control, image, plant, trace, disturbance, floats, wholes)
        cycle = control.job[0].cycle
        shadow(beside, plant, disturbance.out, cycle)
        step_plant(plant, image, cycle)
        if differs(beside, plant):
            return done, events, 1
        events = conclude_disturbed(control, image, plant, trace, disturbance, floats, wholes)
        done += 1
    return done, events, 0


@compiled
def speak_disturbed(control, image, plant, trace, disturbance, floats, wholes):
    """What the controller says, if it is there, and what becomes of it on its way."""
    if disturbance.state[0].alive == 1:
        outputs(control, image)
    else:
        control.job[0].cycle += 1  # time goes on; nobody writes any wire
    go_on(disturbance.ramps, floats)
    disturbance.state[0].acts = lie(disturbance.out, disturbance.rings, floats, wholes, control.job[0].cycle)
    tell_truth(disturbance.back, floats, wholes)
    hear(trace, image, plant, control.job[0].cycle)


@compiled
def conclude_disturbed(control, image, plant, trace, disturbance, floats, wholes):
    """What the machine has said, what becomes of it, what the controller makes of it, and what is due now; -> Event bits."""
    cycle = control.job[0].cycle
    tell_truth(disturbance.out, floats, wholes)
    acts = disturbance.state[0].acts | lie(disturbance.back, disturbance.rings, floats, wholes, cycle)
    claim_latches(trace.claims[0], control.interlocks)
    if disturbance.state[0].alive == 1:
        events = inputs_but(control, image, disturbance.state[0].skip_row)
        events |= testify(control, image, plant, trace, cycle, events)
    else:
        events = witness(trace, plant, image, cycle)  # nobody is there to claim anything
    job = control.job[0]
    events |= DUE if acts == 1 else 0
    return events | wait_for(disturbance.moments, floats, wholes, job.phase, job.beam_number, cycle)


@compiled
def inputs_but(control, image, skipped):
    """Everything the controller concludes, with one row of the table not evaluated: its state stays, and its count is missing."""
    if skipped < 0:
        return inputs(control, image)
    row = control.interlocks[skipped]
    phases, bad, good = row.phases, row.bad_cycles, row.good_cycles
    row.phases = 0
    events = inputs(control, image)
    row.phases, row.bad_cycles, row.good_cycles = phases, bad, good
    control.job[0].evaluated -= 1
    return events
