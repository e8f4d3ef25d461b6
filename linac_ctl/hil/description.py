"""What a device tells of itself, in `HI` and in the items of `DD`."""

from dataclasses import dataclass, field

from device_models.interface.wire.framing import integer

from .client import Client, Reply

MOST_ITEMS = 1000
AXIS_KEYS = ("axis", "name", "unit", "low", "high", "vmax", "amax")


@dataclass(frozen=True, slots=True)
class Axis:
    """Whole um or mdeg, and per s and per s2."""

    number: int
    name: str
    unit: str
    low: int
    high: int
    vmax: int
    amax: int

    @property
    def middle(self) -> int:
        """Of its range."""
        return (self.low + self.high) // 2


@dataclass(slots=True)
class Description:
    """`keys`: of `HI`. `items`: of `DD`, in order, as key and word."""

    keys: dict[str, str]
    items: list[dict[str, str]] = field(default_factory=list)

    @property
    def unit(self) -> str:
        """Which subsystem."""
        return self.keys.get("unit", "")

    @property
    def session(self) -> str:
        """Of this power-up."""
        return self.keys.get("session", "")

    @property
    def caps(self) -> list[str]:
        """What it can beyond the least."""
        return [cap for cap in self.keys.get("caps", "").split(",") if cap]

    @property
    def axes_said(self) -> int:
        """How many axes `HI` claims; -1 if that is no number."""
        number = integer(self.keys.get("axes", ""), 0, MOST_ITEMS)
        return -1 if number is None else number

    @property
    def baud(self) -> int:
        """Of its line; 0 where there is none."""
        return integer(self.keys.get("baud", ""), 0) or 0

    @property
    def maxline(self) -> int:
        """Longest line it takes."""
        return integer(self.keys.get("maxline", ""), 0) or 0

    @property
    def axes(self) -> list[Axis]:
        """Those that are described completely, by number."""
        found = [axis(item) for item in self.items if "axis" in item]
        return sorted((one for one in found if one is not None), key=lambda one: one.number)

    def all(self, key: str) -> list[str]:
        """Every `verb=`, `in=`, `out=`, `par=`."""
        return [item[key] for item in self.items if key in item]

    @property
    def readings(self) -> int:
        """Numbers in a status after state and flags, where they are no blocks."""
        return 2 * max(self.axes_said, 0) or len(self.all("out"))


def axis(item: dict[str, str]) -> Axis | None:
    """None if something is missing or no number."""
    numbers = [integer(item.get(key, "")) for key in ("axis", "low", "high", "vmax", "amax")]
    if any(number is None for number in numbers) or not set(AXIS_KEYS) <= set(item):
        return None
    at, low, high, vmax, amax = (number or 0 for number in numbers)
    return Axis(at, item["name"], item["unit"], low, high, vmax, amax)


def read_items(client: Client, count: int) -> list[Reply]:
    """Every `DD i`."""
    return [client.ask(f"DD {i}", repeats=2) for i in range(min(count, MOST_ITEMS))]


def describe(client: Client, hello: Reply) -> Description:
    """Ask for all of it; what is refused or no number is left out here and found by the checks."""
    counted = client.ask("DD", repeats=2)
    count = integer(counted.args[0], 0, MOST_ITEMS) if counted.ok and counted.args else None
    return Description(hello.keys(), [reply.keys() for reply in read_items(client, count or 0) if reply.ok])
