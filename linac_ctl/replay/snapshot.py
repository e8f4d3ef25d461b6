"""A machine at an instant, for a person who wants to see how it came to this."""

from typing import Any

import numpy as np

from device_models.interface.image import AXIS_DEVICES, DT_S

from ..control.phases import Hold, Phase


def snapshot(sim: Any) -> dict[str, Any]:
    """Plain values: truth, wires, the controller's word."""
    job, beam, safety = sim.control.job[0], sim.plant.beam[0], sim.plant.safety[0]
    return {
        "cycle": int(sim.engine.cycle), "t_s": round(sim.engine.cycle * DT_S, 2),
        "phase": (Phase(int(job["phase"])).name or "").lower(), "hold": Hold(int(job["hold"])).name.lower(),
        "beam": int(job["beam_number"]), "control_point": int(job["segment"]),
        "true_mu": round(float(beam["true_mu"] + job["mu_offset"]), 6), "mu_end": round(float(job["mu_end"]), 6),
        "rate_mu_per_s": round(float(beam["rate_mu_per_s"]), 4), "permit": int(sim.image.beam["permit"][0]),
        "channel_closed": bool(safety["permit"] == 1.0), "door_closed": bool(sim.plant.room["door_closed"][0] == 1.0),
        "axes": {name: axis(sim, name) for name in AXIS_DEVICES if len(getattr(sim.plant, name))},
        "interlocks": [trip.text for trip in sim.linac.panel.active()],
        "first_out": [trip.id for trip in sim.linac.panel.history if trip.first_out],
        "last_events": [f"{event.t_s:.2f} s {event.who}: {event.what}" for event in sim.events[-5:]],
    }


def axis(sim: Any, name: str) -> dict[str, float]:
    """A device's first axis, and the worst distance between truth and setpoint of all."""
    true, wires = getattr(sim.plant, name)["position"], getattr(sim.image, name)
    off = float(np.abs(true - wires["setpoint"]).max())
    return {"true": round(float(true[0]), 4), "setpoint": round(float(wires["setpoint"][0]), 4), "worst_off": round(off, 4)}
