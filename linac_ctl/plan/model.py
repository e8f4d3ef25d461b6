"""What a plan asks for, in one shape whatever wrote it: IEC 61217, mm, deg, MU. Pure values; nothing here reads files."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

JAWS = ("X1", "X2", "Y1", "Y2")


@dataclass(frozen=True, slots=True, eq=False)
class Beam:
    """One treatment beam: n control points. Angles are unwrapped (gantry within +/-185, collimator and couch within +/-180).

    Jaw and leaf positions are IEC: X1, Y1 and bank B are negative when open across the axis. A quantity that the plan
    does not give is NaN (jaws, couch translations), or None (leaves).
    """

    number: int
    name: str
    technique: str  # "static" | "sliding_window" | "step_and_shoot" | "conformal_arc" | "arc" (VMAT)
    mode: str  # beam mode, as the machine file names it: "6X", "10FFF"
    mu: float  # BeamMeterset of the fraction group
    dose_rate_mu_per_min: float | None  # DoseRateSet when the plan gives one above zero
    cumulative_mu: Floats  # (n,) MU at each control point, 0 .. mu
    gantry_deg: Floats  # (n,)
    collimator_deg: Floats  # (n,)
    jaw_mm: Floats  # (n, 4) X1 X2 Y1 Y2
    leaf_mm: Floats | None  # (n, 2 p): bank A (X2 side) then bank B (X1 side), leaf 1 at -Y
    leaf_boundaries_mm: Floats | None  # (p + 1,)
    couch: Floats  # (n, 6) lateral longitudinal vertical mm, rotation pitch roll deg
    couch_is_relative: bool = False  # no translations in the plan: treat where the patient was set up
    isocentre_mm: tuple[float, float, float] | None = None  # DICOM patient coordinates
    sad_mm: float = 1000.0
    machine_name: str = ""
    accessory: str = ""  # wedge, block or applicator id; empty = none
    beam_type: str = ""  # BeamType as the plan declares it: STATIC | DYNAMIC | ""

    def with_mu(self, mu: float) -> "Beam":
        """The same beam for another dose, as another fraction group may ask for."""
        if mu == self.mu:
            return self
        return replace(self, mu=mu, cumulative_mu=np.rint(self.cumulative_mu / self.mu * mu * 1e6) / 1e6)


@dataclass(frozen=True, slots=True)
class FractionGroup:
    """Which beams belong to a fraction, with their MU, in order of delivery."""

    number: int
    fractions: int
    beams: tuple[int, ...]
    mu: tuple[float, ...] = ()  # BeamMeterset of each of `beams`; empty = as the beams say
    dose_gy: tuple[float, ...] = ()  # BeamDose of each of `beams`; empty = the plan does not give all of them


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A whole RT Plan; `beams` holds the treatment beams only (set-up beams are named in `setup_beams`)."""

    label: str
    sop_instance_uid: str
    patient_id: str
    patient_name: str
    beams: tuple[Beam, ...]
    groups: tuple[FractionGroup, ...]
    setup_beams: tuple[str, ...] = ()
    approval: str = ""  # APPROVED | UNAPPROVED | REJECTED | ""
    patient_position: str = ""  # HFS, FFP ...; empty when the plan does not say
    frame_of_reference_uid: str = ""
    structure_set_uid: str = ""
    study_instance_uid: str = ""
    geometry: str = ""  # PATIENT | TREATMENT_DEVICE
    source: str = ""  # where it was read
    sha256: str = ""  # of the file's bytes
    notes: tuple[str, ...] = field(default=())  # what the importer had to assume, one line each
    prescribed_gy: float | None = None  # TargetPrescriptionDose of the whole course; None = the plan does not give one

    def fraction(self, number: int | None = None) -> tuple[Beam, ...]:
        """The beams of one fraction group (the first by default), in order of delivery; the same ones every time."""
        return _fraction(self, number)

    def group(self, number: int | None = None) -> FractionGroup:
        """One fraction group, the first by default."""
        return self.groups[0] if number is None else next(g for g in self.groups if g.number == number)

    def fraction_gy(self, number: int | None = None) -> float | None:
        """Dose of one fraction as the plan itself says: of its beams, else its share of the prescription. None = it does not."""
        group = self.group(number)
        if group.dose_gy:
            return sum(group.dose_gy)
        return None if self.prescribed_gy is None else self.prescribed_gy / max(group.fractions, 1)


@lru_cache(maxsize=16)
def _fraction(plan: Plan, number: int | None) -> tuple[Beam, ...]:
    group = plan.group(number)
    by_number = {beam.number: beam for beam in plan.beams}
    mu = group.mu or tuple(by_number[n].mu for n in group.beams)
    return tuple(by_number[n].with_mu(m) for n, m in zip(group.beams, mu, strict=True))
