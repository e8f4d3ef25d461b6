"""Numbers as DICOM decimal strings: at most 16 characters, the same on every computer."""

from linac_ctl.plan.model import Floats


def decimal(value: float) -> str:
    """Shortest text that keeps 1e-8."""
    text = f"{value:.8f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def decimals(values: Floats) -> list[str]:
    """One `decimal` each."""
    return [decimal(float(value)) for value in values]
