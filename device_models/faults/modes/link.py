"""Links: frames that are lost, late, damaged, repeated, or answered without anything being done.

In a session without real lines the wires of a device are its link, frame by frame in the process. Behind a real line the bytes
are disturbed instead.
"""

from typing import Literal

from ...interface.stream.fault import LinkFault
from ..action import Action, Line, Link, Wire, Write
from ..behaviour import Behaviour
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import BEAM_OFF_STOP, beyond, number, word

CYCLE_MS = 10.0
FRAME_BITS = 400  # of a status frame on a line, about
LINKS = Choice(("mlc", "gantry", "couch", "beam", "safety", "room"))
DEVICES = Choice(("mlc", "gantry", "couch", "beam"))
Way = Literal["in", "out", "both"]
WAYS: dict[str, Way] = {"both": "both", "tx": "out", "rx": "in"}
STATUS = {"mlc": "mlc.readback", "gantry": "gantry.readback", "couch": "couch.readback", "beam": "beam.mu_1"}
ORDERS = {"mlc": "mlc.setpoint", "gantry": "gantry.setpoint", "couch": "couch.setpoint", "beam": "beam.rate_mu_per_s"}


def of_line(device: str, way: Way, kind: str, **settings: float) -> tuple[Action, ...]:
    """The same on the bytes of a real line, each way that is meant."""
    to: dict[Way, tuple[str, ...]] = {"in": ("to_host",), "out": ("to_device",), "both": ("to_device", "to_host")}
    return tuple(Line(device, LinkFault(kind, way=one, **settings)) for one in to[way])  # type: ignore[arg-type]


def cut(device: str, way: Way, place: Place) -> tuple[Action, ...]:
    """Nothing comes through any more."""
    if device in place.links:
        return of_line(device, way, "loss")
    return (Link(device, way, Behaviour.FREEZE),)


def loss(given: Given, place: Place) -> tuple[Action, ...]:
    """Frames are lost, each by chance."""
    device, p = word(given, "link"), number(given, "p")
    if device in place.links:
        return of_line(device, "both", "loss", chance=p)
    return (Link(device, "both", Behaviour.DROP, chance=p),)


def outage(given: Given, place: Place) -> tuple[Action, ...]:
    """The line is cut for as long as the fault lasts."""
    return cut(word(given, "link"), WAYS[word(given, "direction")], place)


def latency(given: Given, place: Place) -> tuple[Action, ...]:
    """Everything arrives late, both ways; with jitter some of it later still."""
    device, cycles = word(given, "link"), max(1, round(number(given, "mean_ms") / CYCLE_MS))
    jitter = round(number(given, "jitter_ms") / CYCLE_MS)
    if device in place.links:
        return of_line(device, "both", "delay", delay_s=number(given, "mean_ms") / 1000.0)
    unsteady = (Link(device, "in", Behaviour.DROP, chance=jitter / (jitter + 1)),) if jitter else ()
    return (Link(device, "both", Behaviour.DELAY, cycles=cycles), *unsteady)


def latency_enough(given: Given) -> Demand:
    """A reading may be two cycles old."""
    return "react" if number(given, "mean_ms") >= 35.0 else "either"


def damage(given: Given, place: Place) -> tuple[Action, ...]:
    """Bits turn over; a frame that does not add up is no frame."""
    device = word(given, "link")
    chance = 1.0 - (1.0 - number(given, "ber")) ** FRAME_BITS
    if device in place.links:
        return of_line(device, "both", "corruption", chance=chance)
    return (Link(device, "both", Behaviour.DROP, chance=chance),)


def plausible(given: Given, place: Place) -> tuple[Action, ...]:
    """A frame adds up and says something else: an order to the device, or what the device says."""
    path = (ORDERS if word(given, "field") == "setpoint" else STATUS)[word(given, "link")]
    return (Wire(path, Behaviour.CORRUPT, number(given, "bits")),)


def duplicates(given: Given, place: Place) -> tuple[Action, ...]:
    """Frames come twice, or change places."""
    device, p = word(given, "link"), number(given, "p")
    twice = word(given, "kind") == "duplicate"
    if device in place.links:
        return of_line(device, "both", "duplication" if twice else "reordering", chance=p)
    return (Link(device, "both", Behaviour.DUPLICATE if twice else Behaviour.REORDER, chance=p, cycles=16),)


def replay(given: Given, place: Place) -> tuple[Action, ...]:
    """Valid frames from the past come instead of today's."""
    device, frames = word(given, "link"), int(number(given, "n"))
    way: Way = "in" if word(given, "kind") == "status" else "out"
    if device in place.links:
        return of_line(device, way, "replay", frames=frames)
    return (Link(device, way, Behaviour.REPLAY, cycles=frames),)


def babble(given: Given, place: Place) -> tuple[Action, ...]:
    """Frames run into each other or are cut short; or so much is said that everything is late."""
    device, kind = word(given, "link"), word(given, "kind")
    if kind == "babble":
        late = of_line(device, "both", "delay", delay_s=0.5)
        return late if device in place.links else (Link(device, "both", Behaviour.DELAY, cycles=50),)
    if device in place.links:
        return of_line(device, "both", "corruption", chance=0.9, bits=8)
    return (Link(device, "both", Behaviour.DROP, chance=0.9),)


def half_open(given: Given, place: Place) -> tuple[Action, ...]:
    """One way lives, the other one is dead."""
    return cut(word(given, "link"), "in" if word(given, "alive") == "tx" else "out", place)


def swapped_ports(given: Given, place: Place) -> tuple[Action, ...]:
    """Two devices of one axis are plugged into each other's ports."""
    pairs = [("gantry", "collimator"), ("collimator", "gantry")]
    wires = [(f"{a}.{field}", f"{b}.{field}") for a, b in pairs for field in ("setpoint", "readback", "readback_2")]
    names = [(f"nodes[{a}].named", f"nodes[{b}].named") for a, b in pairs]
    return tuple(Wire(path, Behaviour.SWAP, other=other) for path, other in wires + names)


def only_said(given: Given, place: Place) -> tuple[Action, ...]:
    """The order is acknowledged, and nothing is done."""
    kinds: dict[str, tuple[Action, ...]] = {
        "beam_off": (Write("plant.beam.stuck_on", 1.0),), "hold": (Write("plant.beam.stuck_on", 1.0),),
        "move": (Write("plant.couch.moves", 0.0), Wire("couch.readback", Behaviour.LIE)),
        "preset": (Write("plant.safety.keeps_limits", 1.0),),
    }
    return kinds[word(given, "command")]


def until_two_mm(given: Given) -> float:
    """A couch that is sent off and stays has to be 2 mm from where it says it is: 100 ms at 20 mm/s, and it gathers speed."""
    return 250.0 if word(given, "command") == "move" else 0.0


def only_done(given: Given, place: Place) -> tuple[Action, ...]:
    """The order is carried out, and nothing is said about it."""
    device = {"couch_shift": "couch", "beam_on": "beam", "preset": "safety"}[word(given, "command")]
    return of_line(device, "in", "loss") if device in place.links else (Link(device, "in", Behaviour.FREEZE),)


MODES = (
    Mode("LNK-01", 1, "link", "any_link", "frame_loss", "frames are lost", (), "S2", ("LINK_LOST", "DATA_STALE"),
         ("beam_hold",), "time", loss, {"link": LINKS, "p": Range(0.001, 0.5, 0.4)}, max_detection_ms=40, max_reaction_ms=10,
         max_mu=0.6, activation="intermittent", demand=beyond("p", 0.35, fine=0.01)),
    Mode("LNK-02", 1, "link", "any_link", "outage", "nothing comes through for a while", (), "S4", ("LINK_LOST", "DATA_STALE"),
         BEAM_OFF_STOP, "time", outage, {"link": LINKS, "direction": Choice(("both", "rx", "tx"))}, max_detection_ms=40,
         max_reaction_ms=20, max_mu=0.7, activation="transient"),
    Mode("LNK-03", 1, "link", "any_link", "latency_jitter", "everything is late", (), "S3", ("DATA_STALE", "LINK_LATENCY"),
         ("beam_hold",), "time", latency,
         {"link": LINKS, "mean_ms": Range(10.0, 500.0, 100.0), "jitter_ms": Range(0.0, 200.0, 0.0)}, max_detection_ms=60,
         max_reaction_ms=10, max_mu=0.8, demand=latency_enough),
    Mode("LNK-04", 1, "link", "any_link", "corruption_detectable", "frames are damaged, and known to be", (), "S2",
         ("LINK_CRC", "DATA_STALE"), ("beam_hold",), "time", damage, {"link": LINKS, "ber": Range(1e-6, 1e-2, 2e-3)},
         max_detection_ms=100, max_reaction_ms=10, max_mu=1.3, activation="intermittent",
         demand=beyond("ber", 1.5e-3, fine=1e-5)),
    Mode("LNK-05", 2, "link", "any_link", "corruption_valid_crc", "frames are damaged and add up", (), "S4",
         ("ECHO_MISMATCH", "DATA_RANGE", "LINK_SEQ"), BEAM_OFF_STOP, "time", plausible,
         {"link": DEVICES, "field": Choice(("status", "setpoint")), "bits": Range(1, 32, 20, whole=True)}, max_detection_ms=60,
         max_reaction_ms=20, max_mu=0.9, activation="transient", demand=beyond("bits", 14)),
    Mode("LNK-06", 1, "link", "any_link", "duplicate_or_reorder", "frames come twice, or change places", (), "S3",
         ("LINK_SEQ", "DATA_STALE"), ("beam_hold",), "time", duplicates,
         {"link": LINKS, "kind": Choice(("duplicate", "reorder")), "p": Range(0.01, 0.5, 0.3)}, max_detection_ms=40,
         max_reaction_ms=10, max_mu=0.6, activation="intermittent", demand=beyond("p", 1.0)),
    Mode("LNK-07", 1, "link", "any_link", "replay_valid_old_frames", "valid frames from the past", (), "S4",
         ("LINK_SEQ", "SESSION_ID", "DATA_STALE"), BEAM_OFF_STOP, "time", replay,
         {"link": LINKS, "kind": Choice(("status", "command")), "n": Range(10, 1000, 100, whole=True)}, max_detection_ms=40,
         max_reaction_ms=20, max_mu=0.7, activation="transient"),
    Mode("LNK-08", 2, "link", "any_link", "framing_slip_or_flood", "frames run into each other, or the line is full", (), "S3",
         ("LINK_CRC", "LINK_LOST", "DATA_STALE"), BEAM_OFF_STOP, "time", babble,
         {"link": LINKS, "kind": Choice(("garbage", "truncate", "merge", "babble"))}, max_detection_ms=60, max_reaction_ms=20,
         max_mu=0.9, activation="transient"),
    Mode("LNK-09", 2, "link", "any_link", "half_open", "one way lives, the other is dead", (), "S4",
         ("LINK_LOST", "DATA_STALE"), BEAM_OFF_STOP, "time", half_open, {"link": LINKS, "alive": Choice(("tx", "rx"))},
         max_detection_ms=100, max_reaction_ms=20, max_mu=1.4),
    Mode("LNK-10", 2, "link", "serial", "wrong_device_or_version", "two devices are plugged into each other's ports",
         ("setup",), "S4", ("LINK_ID",), ("prevent_start", "prevent_motion"), "before_motion", swapped_ports),
    Mode("LNK-11", 1, "link", "any_device", "ack_without_action", "acknowledged, and not done", (), "S4",
         ("EFFECT_MISMATCH", "BEAM_STUCK"), BEAM_OFF_STOP, "time", only_said,
         {"command": Choice(("beam_off", "hold", "move", "preset"))}, max_detection_ms=60, max_reaction_ms=20, max_mu=0.9,
         onset_ms=until_two_mm),
    Mode("LNK-12", 1, "link", "any_device", "action_without_ack", "done, and not acknowledged", ("shift", "arm"), "S4",
         ("POS_UNVERIFIED", "COUCH_POS"), ("motion_stop", "prevent_start"), "time", only_done,
         {"command": Choice(("couch_shift", "beam_on", "preset"))}, max_detection_ms=200, max_reaction_ms=200,
         limits=("miss_mm <= 1.0",), activation="transient"),
)
