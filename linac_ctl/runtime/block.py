"""The one place where controller and plant are compiled together: a block of scan cycles."""

from device_models.interface.compiled import compiled
from device_models.plant import step_plant

from ..control.cycle import inputs, outputs


@compiled
def run_block(control, image, plant, cycles):
    """Run up to `cycles`; stop early on an event. -> (cycles done, Event bits)."""
    done = events = 0
    while done < cycles and events == 0:
        outputs(control, image)
        step_plant(plant, image, control.job[0].cycle)
        events = inputs(control, image)
        done += 1
    return done, events


@compiled
def answer(control, image, plant):
    """The second half of a cycle: when a port has spoken in between, and once at power-up."""
    step_plant(plant, image, control.job[0].cycle)
    return inputs(control, image)


@compiled
def speak(control, image):
    """The first half of a cycle."""
    outputs(control, image)
