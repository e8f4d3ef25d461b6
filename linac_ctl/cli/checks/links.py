"""Serial ports, pseudo terminals and the MQTT broker: wanted only when devices are outside."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from . import Finding

PATTERNS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyTHS*")
BROKER = ("localhost", 1883)


def findings() -> Iterator[Finding]:
    """All of it."""
    yield serial(sorted(path for pattern in PATTERNS for path in Path("/dev").glob(pattern)))
    yield pty()
    yield broker(*BROKER)


def serial(ports: list[Path]) -> Finding:
    """Ports that are there, and whether we may open them."""
    if not ports:
        return Finding("serial ports", "info", "none", "plug an adapter in if a device shall be outside")
    names = ", ".join(str(port) for port in ports)
    if shut := [str(port) for port in ports if not os.access(port, os.R_OK | os.W_OK)]:
        advice = f"no permission for {', '.join(shut)}: sudo usermod -aG dialout $USER, then log in again"
        return Finding("serial ports", "warn", names, advice)
    return Finding("serial ports", "ok", names)


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
        advice = "only for status over MQTT: start one, for example mosquitto"
        return Finding("MQTT broker", "info", f"none at {host}:{port}", advice)
