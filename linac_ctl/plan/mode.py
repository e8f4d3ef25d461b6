"""Energy and fluence mode to the name of a beam mode: 6X, 10FFF."""

import re

from linac_ctl.plan.dicom_fields import Item

_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:MV|MEV|X)?\s*[-_ ]?\s*(FFF)?\s*", re.IGNORECASE)


def beam_mode(beam: Item, first_point: Item) -> str:
    """Name of the mode; "6X" unless the plan says that the fluence is not the standard one."""
    energy, says_fff = _energy(first_point)
    fluence, identity = "", ""
    for item in beam.items("PrimaryFluenceModeSequence"):
        fluence, identity = item.text("FluenceMode").upper(), item.text("FluenceModeID").upper()
    if says_fff or "FFF" in identity:
        return f"{energy}FFF"
    if fluence == "NON_STANDARD":  # SRS and the like: named as they are, so that no machine takes them for its own
        return f"{energy}X {identity or 'NON_STANDARD'}"
    return f"{energy}X"


def _energy(first_point: Item) -> tuple[str, bool]:
    """Energy as text and whether it says FFF itself, as some Elekta files write it."""
    raw = first_point.value("NominalBeamEnergy")
    if raw is None:
        raise first_point.where.refuse("NominalBeamEnergy", "is missing: no beam energy")
    match = _WRITTEN.fullmatch(str(raw))
    if match is None or not 0.0 < float(match[1]) < 100.0:
        raise first_point.where.refuse("NominalBeamEnergy", f"is {str(raw)!r}, not an energy in MV between 0 and 100")
    return f"{float(match[1]):g}", match[2] is not None
