"""What each unit says and hears in `SV` and status, in order, with the integer that stands for one unit of the image.

One table for both sides, the documentation and the tests. A value on the wire is rint(value x per); the image holds the same
integer / per, so a value that crossed a wire and one that did not are the same bits.
"""

from dataclasses import dataclass

from ..image import AXIS_DEVICES, Node

AXIS_PER = 1000  # um per mm, millidegrees per degree
MOST_APART = 9999  # um or mdeg: a difference of the encoders as far as it is told; a block tells +/- 32767
ALL = -1


@dataclass(frozen=True, slots=True)
class Value:
    """One number on the wire. `per`: wire integers per unit of the image; `at`: index in a vector field."""

    name: str
    unit: str
    per: int = 1
    field: str = ""
    at: int = ALL

    @property
    def record_field(self) -> str:
        """Name in the image's record."""
        return self.field or self.name


@dataclass(frozen=True, slots=True)
class Unit:
    """One subsystem on a port. `record`: its field in the image; axis devices have no lists of values."""

    name: str
    node: Node | int  # its row of the image's nodes; imagers have none
    what: str
    hears: tuple[Value, ...] = ()
    says: tuple[Value, ...] = ()
    blocks: bool = False
    radiates: bool = False
    fires: tuple[Value, ...] = ()  # of `FI`, after the nonce; only imagers have any
    maxline: int = 160
    watchdog_ms: int = 250

    @property
    def axes(self) -> bool:
        """Nothing but axes."""
        return self.name in AXIS_DEVICES


def switch(*names: str) -> tuple[Value, ...]:
    """Values that are 0 or 1."""
    return tuple(Value(name, "switch") for name in names)


BEAM_HEARS = (
    *switch("permit", "hv_request"),
    Value("rate", "mmu/s", 1000, "rate_mu_per_s"), Value("mode", "index"), *switch("clear_dose"),
)
BEAM_SAYS = (
    Value("mu_1", "mmu", 1000), Value("mu_2", "mmu", 1000), Value("rate_1", "mmu/s", 1000, "rate_1_mu_per_s"),
    Value("pulse", "umu", 1_000_000, "pulse_mu"), Value("pulses", "count"), Value("missed", "count", 1, "missed_pulses"),
    *(Value(f"quadrant_{i + 1}", "ppm", 1_000_000, "quadrants", i) for i in range(4)),
    Value("chamber_hv_1", "mV", 1000, "chamber_hv_1_v"), Value("chamber_hv_2", "mV", 1000, "chamber_hv_2_v"),
    *switch("hv_on"), Value("mode_sensed", "index"), Value("carousel", "mdeg", 1000, "carousel_deg"),
    Value("energy_ratio", "ppm", 1_000_000), Value("accessory", "code"),
    Value("gun_hv", "V", 1000, "gun_hv_kv"), Value("gun_current", "mA", 1000, "gun_current_a"),
    Value("pfn", "V", 1000, "pfn_kv"), Value("magnet", "mA", 1000, "magnet_a"), Value("afc_error", "mV", 1000, "afc_error_v"),
    Value("rf_driver", "mV", 1000, "rf_driver_v"), Value("vacuum", "pA", 1_000_000, "vacuum_ua"),
    Value("gas", "mpsi", 1000, "gas_psi"), Value("water", "mdegC", 1000, "water_c"), *switch("water_level_ok"),
)
SAFETY_HEARS = (
    Value("response", "number"), Value("preset", "mmu", 1000, "preset_mu"), Value("time_limit", "ms", 1000, "time_limit_s"),
    Value("start", "mmu", 1000, "start_mu"), *switch("arm", "reset", "selftest"),
)
SAFETY_SAYS = (
    Value("challenge", "number"), Value("mu_backup", "mmu", 1000), Value("beam_time", "ms", 1000, "beam_s"),
    Value("preset_echo", "mmu", 1000, "preset_echo_mu"), Value("time_limit_echo", "ms", 1000, "time_limit_echo_s"),
    Value("open", "bits"), *switch("permit"), Value("passed", "bits"), *switch("testing"),
)
ROOM_SAYS = (
    *switch("door_closed", "door_closed_2", "last_person_out", "estop_ok", "motion_enable", "motion_enable_2", "touchguard_ok",
            "touchguard_ok_2", "key_on", "mains_ok", "room_monitor_ok", "service_mode", "bypass"),
    Value("clearance", "um", 1000, "clearance_mm"),
)

UNITS: dict[str, Unit] = {unit.name: unit for unit in (
    Unit("gantry", Node.GANTRY, "one axis, mdeg"),
    Unit("collimator", Node.COLLIMATOR, "one axis, mdeg"),
    Unit("jaws", Node.JAWS, "X1 X2 Y1 Y2, or Y1 Y2; um"),
    Unit("mlc", Node.MLC, "leaves: bank A (X2 side), then bank B (X1 side), leaf 1 at -Y; um", blocks=True, maxline=1400),
    Unit("carriages", Node.CARRIAGES, "A then B, um"),
    Unit("couch", Node.COUCH, "lateral, longitudinal, vertical in um; rotation, pitch, roll in mdeg"),
    Unit("kv_arms", Node.KV_ARMS, "source vertical, detector vertical, lateral, longitudinal; um"),
    Unit("mv_arm", Node.MV_ARM, "detector vertical, lateral, longitudinal; um"),
    Unit("beam", Node.BEAM, "modulator, carousel, both dose channels", BEAM_HEARS, BEAM_SAYS, radiates=True, maxline=320,
         watchdog_ms=100),
    Unit("room", Node.ROOM, "doors, buttons, guards, collision computer", (), ROOM_SAYS),
    Unit("safety", Node.SAFETY, "the second channel", SAFETY_HEARS, SAFETY_SAYS, watchdog_ms=100),
)}

KV_FIRES = (Value("volt", "V", 1000, "kv"), Value("microampere", "uA", 1000, "ma"), Value("microsecond", "us", 1000, "ms"),
            Value("binning", "count"))
KV_SAYS = (*switch("door", "held", "enabled"), Value("heat", "J", 1000, "heat_kj"), Value("exposures", "count"),
           Value("newest", "number"))
MV_SAYS = (*switch("gathering"), Value("newest", "number"))

# not cyclic: asked when an image is wanted, between cycles, so they are in no process image
IMAGERS: dict[str, Unit] = {unit.name: unit for unit in (
    Unit("kv_imager", -1, "tube, generator and panel", (), KV_SAYS, fires=KV_FIRES, maxline=400),
    Unit("mv_imager", -1, "the portal panel", (), MV_SAYS, fires=KV_FIRES[3:], maxline=400),
)}
EVERY_UNIT = UNITS | IMAGERS
