"""Noise: right in size, independent between streams, and nobody else's business."""

import numpy as np

from device_models.parts.noise import draw, new_noise
from device_models.plant import new_plant
from tests.device_models.bench import Bench
from tests.device_models.machines import plant_config


def samples(names: list[str], cycles: int = 4000, seed: int = 1) -> np.ndarray:
    noise = new_noise(seed, names)
    out = np.zeros((cycles, len(names)))
    for cycle in range(cycles):
        draw(noise, cycle)
        out[cycle] = noise.sample
    return out


def test_noise_is_standard_and_bell_shaped() -> None:
    x = samples([f"stream/{i}" for i in range(40)]).ravel()
    assert abs(x.mean()) < 0.01
    assert abs(x.std() - 1.0) < 0.01
    assert abs((x**4).mean() / x.var() ** 2 - 3.0) < 0.1
    assert np.abs(x).max() < 8.2


def test_streams_and_neighbouring_cycles_know_nothing_of_each_other() -> None:
    x = samples(["a", "b", "c", "d"])
    between = np.corrcoef(x.T) - np.eye(4)
    later = [np.corrcoef(x[:-1, i], x[1:, i])[0, 1] for i in range(4)]
    assert np.abs(between).max() < 0.06
    assert np.abs(later).max() < 0.06


def test_a_sample_depends_on_seed_name_and_cycle_alone() -> None:
    alone, among = samples(["b"], 50)[:, 0], samples(["a", "b", "c"], 50)[:, 1]
    assert np.array_equal(alone, among)
    assert not np.array_equal(alone, samples(["b"], 50, seed=2)[:, 0])


def test_cycles_may_be_drawn_in_any_order() -> None:
    noise = new_noise(1, ["a"])
    draw(noise, 7)
    seven = noise.sample[0]
    draw(noise, 3)
    draw(noise, 7)
    assert noise.sample[0] == seven


def test_a_device_more_or_less_changes_nobody_elses_noise() -> None:
    config = plant_config("bench_small")
    all_here, one_away = Bench(config), Bench(config, behind_ports=("jaws", "couch"))
    for bench in (all_here, one_away):
        bench.run(50)
    for device in ("gantry", "collimator", "mlc", "carriages"):
        assert getattr(all_here.image, device).tobytes() == getattr(one_away.image, device).tobytes()
    assert all_here.image.beam.tobytes() == one_away.image.beam.tobytes()


def test_every_stream_of_a_machine_is_its_own() -> None:
    plant = new_plant(plant_config("c_arm_m120"), 1)
    keys = set(zip(plant.noise.key.tolist(), plant.noise.key_2.tolist()))
    assert len(keys) == plant.noise.key.size
    assert plant.noise.sample.size == 2 * (1 + 1 + 4 + 120 + 2 + 6 + 4 + 3) + 6 + 3
