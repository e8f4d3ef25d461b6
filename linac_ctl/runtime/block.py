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
    """The second half of a cycle, once at power-up."""
    step_plant(plant, image, control.job[0].cycle)
    return inputs(control, image)


# the parts of a cycle, for machines with ports: bytes cross between them


@compiled
def speak(control, image):
    """What the controller says."""
    outputs(control, image)


@compiled
def step(plant, image, cycle):
    """What the machine does."""
    step_plant(plant, image, cycle)


@compiled
def conclude(control, image):
    """What the controller makes of it; -> Event bits."""
    return inputs(control, image)
