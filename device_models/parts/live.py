"""Live parameters of the accelerator: slow figures around a mean, looked at by utilities' interlocks."""

from typing import Any

import numpy as np

from ..config import SourceConfig
from ..interface.compiled import compiled
from ..interface.grid import on_grid, on_micro
from ..interface.image import records
from .carousel import known

NAMES = ("gun_hv_kv", "gun_current_a", "pfn_kv", "magnet_a", "afc_error_v", "rf_driver_v", "vacuum_ua", "gas_psi",
         "water_c")
GUN_HV, GUN_CURRENT, PFN, MAGNET, AFC, RF, VACUUM, GAS, WATER = range(len(NAMES))

LIVE = np.dtype([
    ("value", "f8"),
    ("usual", "f8"), ("sigma", "f8"),
    ("bias", "f8"),  # where faults write: 0.0
    ("stream", "i8"),
])


@compiled
def wander(live, slow_sample):
    """New values; done on the slow grid, because these figures do not change from cycle to cycle."""
    for i in range(live.size):
        live[i].value = live[i].usual + live[i].sigma * slow_sample[live[i].stream] + live[i].bias


@compiled
def show_energy(live, modes, wire, energy_factor):
    """Bending magnet against the nominal current of the mode asked for; an unknown mode has no energy."""
    ratio = live[MAGNET].value * energy_factor if known(modes, wire.mode) else np.nan
    wire.energy_ratio = on_micro(ratio)
    wire.magnet_a = on_grid(modes[wire.mode].magnet_a * ratio) if known(modes, wire.mode) else np.nan


@compiled
def show_live(live, modes, wire, hot):
    """Everything else; `hot` is 1.0 with high voltage on, 0.0 without."""
    mode = modes[wire.mode if known(modes, wire.mode) else 0]
    wire.gun_hv_kv = on_grid(mode.gun_hv_kv * live[GUN_HV].value) if hot > 0.5 else 0.0
    wire.gun_current_a = on_grid(live[GUN_CURRENT].value * hot)
    wire.pfn_kv = on_grid(mode.pfn_kv * live[PFN].value * hot)
    wire.afc_error_v = on_grid(live[AFC].value)
    wire.rf_driver_v = on_grid(live[RF].value)
    wire.vacuum_ua = on_micro(live[VACUUM].value)
    wire.gas_psi = on_grid(live[GAS].value)
    wire.water_c = on_grid(live[WATER].value)


def new_live(config: SourceConfig) -> Any:
    """LIVE (9,), in the order of NAMES; every one of them has to be configured."""
    if set(config.live) != set(NAMES):
        raise ValueError(f"plant.source.live: {sorted(config.live)} given, exactly {sorted(NAMES)} needed")
    live = records(len(NAMES), LIVE)
    for i, name in enumerate(NAMES):
        live["usual"][i], live["sigma"][i] = config.live[name]
    live["value"] = live["usual"]
    return live
