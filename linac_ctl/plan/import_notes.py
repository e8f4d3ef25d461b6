"""What the importer had to assume, one line each, for the operator to see."""

from collections.abc import Iterator

from linac_ctl.plan.dicom_fields import Item
from linac_ctl.plan.model import Beam


def notes(plan: Item, beams: tuple[Beam, ...]) -> tuple[str, ...]:
    """All assumptions made while reading."""
    return (*_of_the_file(plan), *(line for beam in beams for line in _of_a_beam(beam)))


def _of_the_file(plan: Item) -> Iterator[str]:
    if not getattr(plan.data, "preamble", None):
        yield "file without Part-10 preamble; read all the same"
    if not plan.text("SOPClassUID"):
        yield "no SOP class in the data set; taken for an RT Plan by its modality"
    for beam in plan.items("BeamSequence"):
        if beam.maybe_number("NumberOfBoli"):
            yield f"beam {beam.text('BeamNumber')}: needs {beam.text('NumberOfBoli')} bolus on the patient"
    for group in plan.items("FractionGroupSequence"):
        if not group.maybe_number("NumberOfFractionsPlanned"):
            yield f"fraction group {group.text('FractionGroupNumber')}: number of fractions not given; taken as 1"


def _of_a_beam(beam: Beam) -> Iterator[str]:
    who = f'beam {beam.number} "{beam.name}"'
    if beam.couch_is_relative:
        yield f"{who}: couch translations not given; treated where the patient was set up"
    if beam.leaf_mm is None and beam.leaf_boundaries_mm is not None:
        yield f"{who}: declares an MLC but gives no leaf positions"
    if beam.accessory:
        yield f"{who}: needs {beam.accessory}"
    if beam.isocentre_mm is None:
        yield f"{who}: no isocentre in patient coordinates"
