"""Energy, dose rate and accessories of a beam against the machine."""

from collections.abc import Iterator

import numpy as np

from linac_ctl.config.machine import MachineConfig
from linac_ctl.plan.finding import ERROR, WARNING, Finding, found
from linac_ctl.plan.model import Beam

SAME_MU = 1e-3
OTHER_MODE = 1.2  # a dose rate this far above the mode's highest was not planned for this mode


def check_dose(beam: Beam, machine: MachineConfig) -> Iterator[Finding]:
    """Findings on MU, mode, dose rate and what has to be fitted to the head."""
    yield from _check_mu(beam)
    mode = machine.beam.modes.get(beam.mode)
    if mode is None:
        yield found(
            beam,
            "NominalBeamEnergy",
            f"asks for beam mode {beam.mode}",
            f"modes {', '.join(machine.beam.modes)}",
            "choose a machine with this mode",
            0,
        )
    elif beam.dose_rate_mu_per_min is not None and beam.dose_rate_mu_per_min > mode.max_dose_rate_mu_per_min:
        yield _too_fast(beam, beam.dose_rate_mu_per_min, mode.max_dose_rate_mu_per_min)
    if beam.accessory:
        yield found(
            beam,
            _keyword(beam.accessory),
            f"asks for {beam.accessory}",
            "no accessories on this machine",
            "plan without it",
        )


def _check_mu(beam: Beam) -> Iterator[Finding]:
    """MU are numbers above zero that begin at zero, never fall, and end at the beam's."""
    mu, advice = beam.cumulative_mu, "export the plan again"
    if not beam.mu > 0.0 or not np.isfinite(mu).all():
        yield found(beam, "BeamMeterset", f"is {beam.mu:g} MU", "a number above 0 MU", advice)
    elif (np.diff(mu) < 0.0).any():
        point = int(np.argmax(np.diff(mu) < 0.0)) + 1
        yield found(beam, "CumulativeMetersetWeight", f"falls from {mu[point - 1]:g} to {mu[point]:g} MU", "MU that never fall",
                    advice, point)
    elif not abs(mu[-1] - beam.mu) <= SAME_MU:
        yield found(beam, "CumulativeMetersetWeight", f"ends at {mu[-1]:g} MU", f"the beam's {beam.mu:g} MU", advice, len(mu) - 1)


def _too_fast(beam: Beam, planned: float, most: float) -> Finding:
    """A little above is another machine's rounding, delivered slower; far above, the energy mode itself is in doubt."""
    value, limit = f"is {planned:g} MU/min", f"{most:g} MU/min for {beam.mode}"
    if planned > OTHER_MODE * most:
        return found(beam, "DoseRateSet", value, limit, "check PrimaryFluenceModeSequence: was FFF meant?", 0, ERROR)
    return found(beam, "DoseRateSet", value, limit, f"delivered at {most:g} MU/min", 0, WARNING)


def _keyword(accessory: str) -> str:
    names = {
        "wedge": "WedgeSequence",
        "block": "BlockSequence",
        "compensator": "CompensatorSequence",
        "applicator": "ApplicatorSequence",
    }
    return names.get(accessory.split()[0], "GeneralAccessorySequence")
