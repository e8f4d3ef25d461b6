"""Things in the beam that somebody has to put there: wedges, blocks, compensators, applicators."""

from linac_ctl.plan.dicom_fields import Item

COUNTED = (
    ("NumberOfWedges", "WedgeSequence", "WedgeID", "wedge"),
    ("NumberOfBlocks", "BlockSequence", "BlockName", "block"),
    ("NumberOfCompensators", "CompensatorSequence", "CompensatorID", "compensator"),
)
LOOKS_ONLY = ("GRATICULE", "IMAGE_DETECTOR", "RETICLE")  # accessories that do not shape the dose


def accessories(beam: Item) -> str:
    """What is to be fitted, for people: "wedge W30, block B1"; empty for an open head."""
    found = [
        f"{word} {item.text(label) or '?'}"
        for counter, sequence, label, word in COUNTED
        for item in _given(beam, counter, sequence)
        if not (word == "wedge" and _wedge_stays_out(beam))
    ]
    found += [f"applicator {item.text('ApplicatorID') or '?'}" for item in beam.items("ApplicatorSequence")]
    found += [
        f"accessory {item.text('GeneralAccessoryID') or '?'}"
        for item in beam.items("GeneralAccessorySequence")
        if item.text("GeneralAccessoryType").upper() not in LOOKS_ONLY
    ]
    return ", ".join(found)


def _given(beam: Item, counter: str, sequence: str) -> tuple[Item, ...]:
    items, count = beam.items(sequence), beam.maybe_number(counter) or 0.0
    if count > len(items):
        raise beam.where.refuse(counter, f"is {count:g}, but {len(items)} are described in {sequence}")
    return items


def _wedge_stays_out(beam: Item) -> bool:
    """True if control points say where the wedge is and never IN."""
    said = [
        wedge.text("WedgePosition").upper()
        for point in beam.items("ControlPointSequence")
        for wedge in point.items("WedgePositionSequence")
    ]
    return bool(said) and "IN" not in said
