"""What every device answers to. Each takes the device and the arguments and gives the body of the reply after `OK t`."""

from .arguments import Args, none, only, word
from .description import items
from .device import Device, Verbs
from .errors import Code, Refused
from .states import LATCHED, State

PERIOD_MS, LONGEST_MS, SHORTEST_WATCHDOG_MS = 10, 10_000, 20


def hi(device: Device, args: Args) -> str:
    """Who is this?"""
    none(args)
    able = {"ls": "LS", "ar": "AR", "im": "IM"}  # capability: a verb that it means
    caps = ["tm", "tt", *(cap for cap, verb in able.items() if verb in device.verbs), *(["bk"] if device.unit.blocks else [])]
    return (f"proto=1 unit={device.unit.name} axes={len(device.limits)} fw=virtual-1 serial={device.serial} "
            f"session={device.session} caps={','.join(caps)} maxline={device.maxline} baud={device.baud}")


def dd(device: Device, args: Args) -> str:
    """How many items of self-description, or one of them."""
    told = [*items(device.unit, device.limits, sorted(device.verbs), device.watchdog_ms, device.telemetry_ms), *device.more_items()]
    return told[only(args, 0, len(told) - 1)] if args else str(len(told))


def st(device: Device, args: Args) -> str:
    """Status."""
    none(args)
    return device.status()


def en(device: Device, args: Args) -> str:
    """Drive power."""
    wanted = only(args, 0, 1)
    if wanted and device.state in LATCHED:
        raise Refused(Code.STATE, f"state={int(device.state)}")
    if device.state not in LATCHED:
        device.state = State.HOLD if wanted else State.IDLE
        if device.unit.axes:
            device.profile.rest_at(device.wires["readback"])
            device.wires["setpoint"] = device.profile.setpoints()
        device.enabled(wanted == 1)
    return device.state_and_flags()


def ht(device: Device, args: Args) -> str:
    """Controlled stop of a move."""
    none(args)
    device.arming.end()
    if device.unit.radiates:
        device.wires["permit"] = 0.0
    if device.unit.axes and device.state is State.MOVE:
        device.profile.stop()
        device.stopping = device.profile.moving
        device.state = State.MOVE if device.stopping else State.HOLD
    return device.state_and_flags()


def rs(device: Device, args: Args) -> str:
    """Leave a latched state."""
    if word(args) != device.session:
        raise Refused(Code.SESSION)
    if device.state in LATCHED and not device.stopping:
        device.state = State.IDLE
        device.enabled(False)
    return device.state_and_flags()


def wd(device: Device, args: Args) -> str:
    """Watchdog time."""
    if args:
        device.watchdog_ms = only(args, SHORTEST_WATCHDOG_MS, LONGEST_MS)
    return str(device.watchdog_ms)


def tm(device: Device, args: Args) -> str:
    """Telemetry period."""
    if args:
        asked = only(args, 0, LONGEST_MS)
        if 0 < asked < PERIOD_MS:
            raise Refused(Code.LIMIT, f"low={PERIOD_MS} high={LONGEST_MS}")
        device.telemetry_ms = -(-asked // PERIOD_MS) * PERIOD_MS
        device.telemetry_due_ms = device.rack.now_ms + device.telemetry_ms
    return str(device.telemetry_ms)


def cn(device: Device, args: Args) -> str:
    """Counters."""
    none(args)
    c = device.counts
    return f"{c.good} {c.invalid} {c.repeated} {c.old} {c.stops} {c.expiries}"


def tt(device: Device, args: Args) -> str:
    """Terminal mode."""
    none(args)
    device.decoder.plain = True
    return ""


def ls(device: Device, args: Args) -> str:
    """Lockstep."""
    device.lockstep = only(args, 0, 1) == 1
    device.rack.stand_still(device.lockstep)
    device.fed_ms = device.rack.now_ms
    return device.state_and_flags().split()[1]


def tk(device: Device, args: Args) -> None:
    """So many cycles."""
    cycles = only(args, 1, 1000)
    if not device.lockstep:
        raise Refused(Code.MODE)
    device.waiting = cycles


def ar(device: Device, args: Args) -> str:
    """First step of arming."""
    device.arming.ask(word(args), device.rack.now_ms)
    return device.state_and_flags().split()[1]


def fi(device: Device, args: Args) -> str:
    """Second step."""
    nonce = word(args)
    if device.state in LATCHED:
        raise Refused(Code.STATE, f"state={int(device.state)}")
    device.arming.confirm(nonce, device.rack.now_ms)
    return device.state_and_flags().split()[1]


COMMON: Verbs = {"HI": hi, "DD": dd, "ST": st, "EN": en, "HT": ht, "RS": rs, "WD": wd, "TM": tm, "CN": cn, "TT": tt,
                             "LS": ls, "TK": tk}
ARMING: Verbs = {"AR": ar, "FI": fi}
