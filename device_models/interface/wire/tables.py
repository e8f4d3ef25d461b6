"""The tables of the protocol page, made from what the code uses."""

from collections.abc import Iterator

from .fields import IMAGERS, UNITS, Value
from .frames import TELLS
from .sizes import highest_rate_hz, sizes

FAR, TILT = (-260_000, 260_000), (-3_000, 3_000)
USUAL = {"gantry": [FAR], "collimator": [FAR], "jaws": [FAR] * 4, "mlc": [FAR] * 120, "carriages": [FAR] * 2,
         "couch": [FAR, (-1_610_000, 1_610_000), FAR, FAR, TILT, TILT], "kv_arms": [FAR] * 4, "mv_arm": [FAR] * 3}


def told(values: tuple[Value, ...]) -> str:
    """Names and units in order."""
    return ", ".join(f"{value.name}" + ("" if value.unit == "switch" else f" ({value.unit})") for value in values) or "none"


def units() -> Iterator[str]:
    """Every unit with what `SV` carries after `en`, and what status carries after `state flags`."""
    yield "| unit | axes, or values of `SV` after `en` | readings of status |"
    yield "|---|---|---|"
    for unit in UNITS.values():
        if unit.axes:
            blocks = "blocks `B=`, `D=`" if unit.blocks else "first readings, then differences"
            yield f"| `{unit.name}` | {unit.what} | {blocks} |"
        else:
            yield f"| `{unit.name}` ({unit.what}) | {told(unit.hears)} | {told(unit.says)} |"


def imagers() -> Iterator[str]:
    """What `FI` carries after its nonce, what status carries after `state flags`, and what `IM` answers."""
    yield "| unit | values of `FI` after the nonce | readings of status |"
    yield "|---|---|---|"
    for unit in IMAGERS.values():
        yield f"| `{unit.name}` ({unit.what}) | {told(unit.fires)} | {told(unit.says)} |"
    yield f"| both: answer to `IM n` | | {told(TELLS)} |"


def rates() -> Iterator[str]:
    """Longest lines, and the highest rate at usual baud rates."""
    bauds = (115_200, 460_800, 921_600)
    yield "| unit, axes | `SV` | answer | " + " | ".join(f"{baud} baud" for baud in bauds) + " |"
    yield "|---|---|---|" + "---|" * len(bauds)
    for unit in UNITS.values():
        limits = USUAL.get(unit.name, [])
        asked, answered = sizes(unit, limits)
        fit = " | ".join(f"{highest_rate_hz(unit, limits, baud):.0f} Hz" for baud in bauds)
        yield f"| `{unit.name}`{f', {len(limits)}' if limits else ''} | {asked} B | {answered} B | {fit} |"

