"""Fraction groups: which beams belong together, in which order, with how many MU."""

from linac_ctl.plan.dicom_fields import Item
from linac_ctl.plan.grid import to_mu
from linac_ctl.plan.model import FractionGroup


def read_groups(plan: Item, treated: dict[int, Item], set_up: dict[int, Item]) -> tuple[FractionGroup, ...]:
    """All groups that give treatment dose; PlanError if a beam is absent, named twice or without MU."""
    items = plan.items("FractionGroupSequence")
    groups = [group for item in items if (group := _group(item, treated, set_up)).beams]
    if not groups:
        raise plan.where.refuse("FractionGroupSequence", f"gives MU to no beam ({len(items)} fraction groups)")
    numbers = [group.number for group in groups]
    if len(set(numbers)) < len(numbers):
        raise plan.where.refuse("FractionGroupNumber", "is used by two fraction groups")
    return tuple(groups)


def _group(item: Item, treated: dict[int, Item], set_up: dict[int, Item]) -> FractionGroup:
    number = item.whole("FractionGroupNumber")
    if item.maybe_number("NumberOfBrachyApplicationSetups"):
        raise item.where.refuse(
            "NumberOfBrachyApplicationSetups",
            f"of fraction group {number} is not 0: brachytherapy",
            "give an external beam plan",
        )
    references = item.items("ReferencedBeamSequence")
    _require_all(item, number, references)
    mu: dict[int, float] = {}
    dose_gy: list[float | None] = []
    for reference in references:
        beam = reference.whole("ReferencedBeamNumber")
        if beam not in treated and beam not in set_up:
            raise item.where.refuse(
                "ReferencedBeamNumber", f"{beam} in fraction group {number}: no such beam in BeamSequence"
            )
        if beam in mu:
            raise item.where.refuse("ReferencedBeamNumber", f"{beam} is named twice in fraction group {number}")
        if beam in treated:
            mu[beam] = _meterset(reference.at(beam=treated[beam].where.beam), number)
            dose_gy.append(reference.maybe_number("BeamDose"))
    fractions = item.maybe_number("NumberOfFractionsPlanned")
    doses = tuple(gy for gy in dose_gy if gy is not None)
    return FractionGroup(number, int(fractions) if fractions else 1, tuple(mu), tuple(mu.values()),
                         doses if len(doses) == len(mu) else ())


def _require_all(item: Item, number: int, references: tuple[Item, ...]) -> None:
    declared = item.maybe_number("NumberOfBeams") or 0.0
    if declared > len(references):
        raise item.where.refuse(
            "NumberOfBeams",
            f"of fraction group {number} is {declared:g}, but {len(references)} beams are "
            "referenced; references were lost",
        )


def _meterset(reference: Item, group: int) -> float:
    value = reference.maybe_number("BeamMeterset")
    if value is None:
        raise reference.where.refuse("BeamMeterset", f"is missing in fraction group {group}: the beam has no MU")
    mu = float(to_mu(value))
    if mu <= 0.0:
        raise reference.where.refuse("BeamMeterset", f"is {value:g} MU in fraction group {group}, it must be above 0")
    return mu
