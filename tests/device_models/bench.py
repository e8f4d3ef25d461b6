"""A machine on a bench, driven through its wires as a controller would: power, heartbeat, setpoints, by the cycle."""

from collections.abc import Callable
from typing import Any

import numpy as np

from device_models.config import PlantConfig
from device_models.interface.heartbeat import answer
from device_models.interface.image import AXIS_DEVICES, Image, new_image
from device_models.plant import Plant, new_plant, sizes, step_plant

Script = Callable[[int], None]


class Bench:
    """Plant and image with a caller that answers challenges while `alive`, and stays where things stand."""

    def __init__(self, config: PlantConfig, seed: int = 1, behind_ports: tuple[str, ...] = ()) -> None:
        self.plant: Plant = new_plant(config, seed, behind_ports)
        self.image: Image = new_image(sizes(config))
        self.cycle = 0
        self.alive = True
        for name in AXIS_DEVICES:
            if name not in behind_ports:
                getattr(self.image, name)["setpoint"] = getattr(self.plant, name)["position"]
        self.image.nodes["enable"] = 1.0
        self.image.nodes["sampled_cycle"] = -1

    def run(self, cycles: int, script: Script | None = None) -> None:
        """Let `cycles` pass; `script(i)` writes wires before each."""
        for i in range(cycles):
            if script is not None:
                script(i)
            if self.alive:
                self.image.safety["response"] = answer(int(self.image.safety["challenge"][0]))
            step_plant(self.plant, self.image, self.cycle)
            self.cycle += 1

    def close_room(self) -> None:
        """Door closed; everything else is fine already."""
        self.plant.room["door_closed"] = 1.0

    def arm(self, preset_mu: float = 100.0, time_limit_s: float = 60.0, start_mu: float = 0.0) -> None:
        """Load the safety channel and reset what is open, the way a controller does before a field."""
        safety = self.image.safety
        safety["preset_mu"], safety["time_limit_s"], safety["start_mu"] = preset_mu, time_limit_s, start_mu
        safety["arm"] = safety["reset"] = self.image.beam["clear_dose"][0] = 1.0
        self.run(2)
        safety["arm"] = safety["reset"] = self.image.beam["clear_dose"][0] = 0.0

    def warm(self) -> None:
        """Gun and RF hot."""
        self.image.beam["hv_request"] = 1.0
        self.run(int(self.plant.beam["warm_up_cycles"][0]) + 1)

    def ready(self, preset_mu: float = 100.0, time_limit_s: float = 60.0) -> None:
        """One step before beam-on."""
        self.close_room()
        self.warm()
        self.arm(preset_mu, time_limit_s)

    def beam(self, cycles: int, rate_mu_per_s: float = 10.0) -> Any:
        """Permit on for `cycles`; -> true dose of each, (cycles,) MU."""
        self.image.beam["permit"], self.image.beam["rate_mu_per_s"] = 1.0, rate_mu_per_s
        dose = np.zeros(cycles)
        for i in range(cycles):
            self.run(1)
            dose[i] = self.plant.beam["dose_mu"][0]
        return dose

    def beam_off(self, cycles: int = 1) -> None:
        """Permit low."""
        self.image.beam["permit"] = self.image.beam["rate_mu_per_s"] = 0.0
        self.run(cycles)

    @property
    def open(self) -> int:
        """SafetyOpen bits on the wire."""
        return int(self.image.safety["open"][0])

    @property
    def on(self) -> bool:
        """Truth: pulses in the last cycle."""
        return bool(self.plant.beam["pulses_now"][0] > 0)
