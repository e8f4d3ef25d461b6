"""A small machine through motion, beam, a stop and a self-test; prints a digest. NUMBA_DISABLE_JIT=1 runs it plain."""

import hashlib
import sys

import numpy as np

from device_models.plant import Plant
from tests.device_models.bench import Bench
from tests.device_models.machines import plant_config


def digest(bench: Bench) -> str:
    """First 16 hex digits over every record of plant and image."""
    total = hashlib.sha256()
    for part in (*bench.plant, *bench.image):
        for array in part if isinstance(part, tuple) else (part,):
            total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]


def session(seed: int = 5) -> str:
    """200 cycles in which every part of the machine does something."""
    source = {"warm_up_s": 0.1, "beam_on_latency_s": 0.02}
    bench = Bench(plant_config("bench_small", source=source, bodies={"every_cycles": 5}), seed)
    bench.plant.room["patient_present"] = 1.0
    bench.ready(preset_mu=5.0)
    bench.image.safety["selftest"] = 1.0
    for name, goal in (("gantry", 20.0), ("mlc", 10.0), ("couch", 1.0), ("jaws", 60.0)):
        getattr(bench.image, name)["setpoint"] = goal
    bench.run(40)
    bench.plant.beam["missed_share"] = 0.1
    bench.image.beam["mode"] = 0
    bench.beam(90)
    bench.plant.room["estop_ok"] = 0.0
    bench.image.beam["mode"] = 3
    bench.run(200 - bench.cycle)
    assert isinstance(bench.plant, Plant)
    return digest(bench)


if __name__ == "__main__":
    sys.stdout.write(session() + "\n")
