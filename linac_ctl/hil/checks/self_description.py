"""`DD`: what it says of axes, verbs and values, and whether that is complete and true."""

from device_models.interface.wire.fields import EVERY_UNIT
from device_models.interface.wire.framing import integer

from ..bench import Bench
from ..description import axis

LEAST_VERBS = ("HI", "DD", "ST", "SV", "EN", "HT", "RS", "WD", "TM", "CN", "TT")
BY_CAP = {"ls": ("LS", "TK"), "ar": ("AR", "FI"), "im": ("IM", "PX")}
AXIS_VERBS = ("MV", "MA")
NOT_TRIED = ("HI", "TT", "HT")  # without arguments these do something
KINDS = ("axis", "par", "verb", "in", "out", "fi")
AXIS_UNITS = ("um", "mdeg")


def self_description(bench: Bench) -> None:
    """Items are countable, complete and agree with what the device does."""
    told = bench.told
    counted = bench.ask("DD").args
    bench.expect(counted == (str(len(told.items)),), "DD tells how many items there are, and each is answered",
                 f"{' '.join(counted)}, {len(told.items)} answered")
    beyond = bench.ask(f"DD {len(told.items)}")
    bench.expect(beyond.code in (1, 3), "an item that there is not is refused", beyond.text)
    odd = [str(item) for item in told.items if not any(kind in item for kind in KINDS)]
    bench.every("every item is one of " + " ".join(KINDS), odd)
    axes(bench)
    values(bench)
    parameters(bench)
    verbs(bench)


def axes(bench: Bench) -> None:
    """Each axis once, with all its keys, limits the right way round."""
    told = bench.told
    incomplete = [str(item) for item in told.items if "axis" in item and axis(item) is None]
    bench.every("an axis has number, name, unit, low, high, vmax and amax", incomplete)
    numbers = [one.number for one in told.axes]
    bench.expect(numbers == list(range(told.axes_said)), f"each of {told.axes_said} axes is described, once",
                 ", ".join(map(str, numbers)) or "none")
    bench.every("axes are in um or mdeg", [f"{one.name}: {one.unit}" for one in told.axes if one.unit not in AXIS_UNITS])
    bench.every("low is below high", [f"{one.name}: {one.low} .. {one.high}" for one in told.axes if one.low >= one.high])
    bench.every("vmax and amax are above zero", [one.name for one in told.axes if one.vmax <= 0 or one.amax <= 0])
    names = [one.name for one in told.axes]
    bench.every("every axis has a name of its own", [name for name in dict.fromkeys(names) if names.count(name) > 1])


def values(bench: Bench) -> None:
    """A unit without axes names its values as the page does; a status has as many readings as are described."""
    told, unit = bench.told, EVERY_UNIT.get(bench.told.unit)
    if unit is not None and not unit.axes:
        bench.expect(told.all("in") == [one.name for one in unit.hears], "in= names the values of SV in the page's order",
                     " ".join(told.all("in")))
        bench.expect(told.all("out") == [one.name for one in unit.says], "out= names the readings in the page's order",
                     " ".join(told.all("out")))
    readings = bench.ask("ST").args[2:]
    if "bk" in told.caps:
        bench.expect([word[:2] for word in readings] == ["B=", "D="], "a status carries blocks B= and D=", " ".join(readings)[:40])
    else:
        bench.expect(len(readings) == told.readings, f"a status has {told.readings} readings", f"{len(readings)}")


def parameters(bench: Bench) -> None:
    """Where they are told they are whole numbers and what is in force lies inside."""
    wrong = [str(item) for item in bench.told.items if "par" in item and not in_range(item)]
    bench.every("a parameter has low, high and now, and now lies between", wrong)


def in_range(item: dict[str, str]) -> bool:
    """low <= now <= high."""
    low, now, high = (integer(item.get(key, "")) for key in ("low", "now", "high"))
    return low is not None and now is not None and high is not None and low <= now <= high


def verbs(bench: Bench) -> None:
    """All that the page wants, and none that is refused as unknown when it is used."""
    told = bench.told
    own = AXIS_VERBS if told.axes_said > 0 else ()
    wanted = [*LEAST_VERBS, *own, *(verb for cap in told.caps for verb in BY_CAP.get(cap, ()))]
    missing = [verb for verb in wanted if verb not in told.all("verb")]
    bench.every("verb= names every verb that a device like this must have", missing)
    unknown = [verb for verb in told.all("verb") if verb not in NOT_TRIED and bench.ask(verb).code == 2]
    bench.every("no verb that is described is refused as unknown", unknown)
