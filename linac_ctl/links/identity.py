"""Who a device says it is, held against what the machine file says stands there."""

from collections.abc import Sequence
from dataclasses import dataclass

from device_models.interface.wire.fields import AXIS_PER, Unit
from device_models.interface.wire.framing import MAXLINE, integer
from device_models.interface.wire.sizes import LINE_END, sizes

from ..config.machine import AxisConfig
from ..errors import LinkError
from .budget import Budget, require_fit
from .client import FIRST_TRIES, Client

PROTOCOL = "1"
RATE_HZ = 100.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What `HI` told."""

    firmware: str
    serial: str
    session: str
    caps: frozenset[str]
    maxline: int


def keys(args: Sequence[str]) -> dict[str, str]:
    """`key=value` arguments."""
    return {key: value for key, equals, value in (arg.partition("=") for arg in args) if equals}


def ask_identity(client: Client, unit: Unit, axes: Sequence[AxisConfig], baud: int) -> Identity:
    """`HI` and `DD`; LinkError unless this is that unit, with these axes, able to do what we will ask."""
    told = keys(client.ask("HI", FIRST_TRIES))
    must_be(client.name, "protocol version", told.get("proto"), PROTOCOL)
    must_be(client.name, "unit", told.get("unit"), unit.name)
    must_be(client.name, "number of axes", told.get("axes"), str(len(axes)))
    maxline = integer(told.get("maxline", str(MAXLINE)), 1) or 0
    check_axes(client, unit, axes)
    check_sizes(client.name, unit, [limits(axis) for axis in axes], maxline, baud)
    caps = frozenset(told.get("caps", "").split(","))
    if unit.radiates and "ar" not in caps:
        raise LinkError(f"{client.name}: {unit.name} without two-step arming (capability `ar`) is not asked for beam")
    return Identity(told.get("fw", "?"), told.get("serial", "?"), told.get("session", "?"), caps, maxline)


def must_be(name: str, what: str, told: str | None, wanted: str) -> None:
    """LinkError unless the device says what is wanted."""
    if told != wanted:
        raise LinkError(f"{name}: {what} is {told or 'not told'}, must be {wanted}; is this the right port and the right firmware?")


def limits(axis: AxisConfig) -> tuple[int, int]:
    """What we may ask of it, whole um or mdeg."""
    return round(axis.low * AXIS_PER), round(axis.high * AXIS_PER)


def check_axes(client: Client, unit: Unit, axes: Sequence[AxisConfig]) -> None:
    """Every axis goes as far as the machine file may ask, in the unit of the machine file."""
    count = integer((client.ask("DD") or ["?"])[0], 0, 10_000)
    if count is None:
        raise LinkError(f"{client.name}: `DD` is answered with no number of items from 0 to 10000; look at its firmware")
    told = [keys(client.ask(f"DD {i}")) for i in range(count)] if axes else []
    found = {item["axis"]: item for item in told if "axis" in item}
    for i, axis in enumerate(axes):
        check_axis(client.name, axis, i, found.get(str(i)))


def check_axis(name: str, axis: AxisConfig, i: int, item: dict[str, str] | None) -> None:
    """One axis as described."""
    if item is None:
        raise LinkError(f"{name}: axis {i} ({axis.name}) is not among what `DD` describes; look at its firmware")
    must_be(name, f"unit of axis {i} ({axis.name})", item.get("unit"), "um" if axis.unit == "mm" else "mdeg")
    low, high = integer(item.get("low", "")), integer(item.get("high", ""))
    ours = limits(axis)
    if low is None or high is None or not low <= ours[0] <= ours[1] <= high:
        ends = f"from {item.get('low', '(not told)')} to {item.get('high', '(not told)')}"
        raise LinkError(f"{name}: axis {i} ({axis.name}) goes {ends} {item.get('unit')}, "
                        f"the machine file may ask for {ours[0]} to {ours[1]}; correct the one that is wrong")


def check_sizes(name: str, unit: Unit, axes: Sequence[tuple[int, int]], maxline: int, baud: int) -> None:
    """Lines fit the device, and a hundred of them per second fit the line."""
    asked, answered = sizes(unit, axes)
    if maxline < asked - LINE_END:
        raise LinkError(f"{name}: takes lines of {maxline} characters, `SV` has up to {asked - LINE_END}; see maxline= of `HI`")
    require_fit(name, Budget(baud, RATE_HZ, asked, answered))
