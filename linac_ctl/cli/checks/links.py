"""Serial ports, pseudo terminals and the MQTT broker: wanted only when devices are outside."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from ...links.holders import group_of, latency_timer_ms
from . import Finding

PATTERNS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyTHS*")
BROKER = ("localhost", 1883)


def findings() -> Iterator[Finding]:
    """All of it."""
    ports = sorted(path for pattern in PATTERNS for path in Path("/dev").glob(pattern))
    yield serial(ports)
    yield from latency(ports)
    yield pty()
    yield broker(*BROKER)


def serial(ports: list[Path]) -> Finding:
    """Ports that are there, and whether we may open them."""
    if not ports:
        return Finding("serial ports", "info", "none", "plug an adapter in if a device shall be outside")
    names = ", ".join(str(port) for port in ports)
    if shut := [str(port) for port in ports if not os.access(port, os.R_OK | os.W_OK)]:
        advice = f"no permission for {', '.join(shut)}: sudo usermod -aG {_group(Path(shut[0]))} $USER, then log in again"
        return Finding("serial ports", "warn", names, advice)
    return Finding("serial ports", "ok", names)


def _group(port: Path) -> str:
    """The one of the port, or the one that most systems give serial ports to."""
    return (group_of(port) if port.exists() else None) or "dialout"


def latency(ports: list[Path]) -> Iterator[Finding]:
    """FTDI adapters hold a short answer back for 16 ms, longer than a cycle, unless told not to."""
    for port in ports:
        if (held_ms := latency_timer_ms(port)) is None:
            continue
        slow = f"1 ms while a run has it open; for other programs too: setserial {port} low_latency"
        yield Finding("latency timer", "ok" if held_ms <= 1 else "info", f"{port}: {held_ms} ms", slow if held_ms > 1 else "")


def pty() -> Finding:
    """Pseudo terminals stand in for serial ports in tests."""
    try:
        for descriptor in os.openpty():
            os.close(descriptor)
    except OSError as error:
        advice = "devices behind a pty will not work; is /dev/pts mounted?"
        return Finding("pty", "warn", f"cannot be made: {error.strerror}", advice)
    return Finding("pty", "ok", "can be made")


def broker(host: str, port: int) -> Finding:
    """An MQTT broker is only for those who want to watch from outside."""
    try:
        with socket.create_connection((host, port), timeout=0.2):
            return Finding("MQTT broker", "ok", f"answers at {host}:{port}")
    except OSError:
        advice = "`linac-ctl serve` brings its own; for more than this computer start one, for example mosquitto"
        return Finding("MQTT broker", "info", f"none at {host}:{port}", advice)
