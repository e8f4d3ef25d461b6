"""The far end of a run's own ports keeps to its side: what did not cross the line is not there."""

import numpy as np

from device_models.interface.image import new_image
from device_models.plant import new_plant, step_plant
from device_models.serve.far_end import apart
from linac_ctl.config.loader import load_machine


def test_wires_of_devices_behind_ports_are_their_own_and_all_others_are_shared() -> None:
    image = new_image(load_machine("bench_small").controller.sizes())
    far = apart(image, ["couch"])
    assert not np.shares_memory(image.couch, far.couch) and not np.shares_memory(image.nodes, far.nodes)
    assert all(np.shares_memory(getattr(image, name), getattr(far, name)) for name in image._fields
               if name not in ("couch", "nodes") and len(getattr(image, name)))


def test_a_plant_without_a_device_says_nothing_on_its_wires() -> None:
    it = load_machine("bench_small")
    image, plant = new_image(it.controller.sizes()), new_plant(it.plant, 1, ("couch",))
    image.couch["readback"], before = 12.5, int(image.nodes["sampled_cycle"][5])
    for cycle in range(3):
        step_plant(plant, image, np.int64(cycle))
    assert (image.couch["readback"] == 12.5).all() and int(image.nodes["sampled_cycle"][5]) == before
