"""What this computer says about its ports: which there are, who may use one, who does."""

import grp
import os
import stat
from pathlib import Path

PTY_MASTER = os.makedev(5, 2)  # Linux: /dev/ptmx


def ports_here() -> list[str]:
    """`/dev/ttyUSB0 (FT232R USB UART)`, those with hardware behind them, sorted."""
    from serial.tools import list_ports  # looks through /sys: only when somebody asks

    return sorted(_named(port.device, port.description) for port in list_ports.comports() if port.hwid != "n/a")


def _named(device: str, description: str | None) -> str:
    return f"{device} ({description})" if description and description != "n/a" else device


def is_terminal(path: Path, classes: Path = Path("/sys/class/tty")) -> bool:
    """Is a device node a terminal? Asked of /sys, because opening one may restart what is behind it."""
    real = path.resolve()
    return real.parent == Path("/dev/pts") or not classes.is_dir() or (classes / real.name).exists()


def group_of(path: Path) -> str | None:
    """The group that may read and write it; None if the node gives that to no group."""
    node = path.stat()
    wanted = stat.S_IRGRP | stat.S_IWGRP
    if node.st_mode & wanted != wanted:
        return None
    try:
        return grp.getgrgid(node.st_gid).gr_name
    except KeyError:
        return str(node.st_gid)


def latency_timer_ms(path: Path, devices: Path = Path("/sys/bus/usb-serial/devices")) -> int | None:
    """How long an FTDI adapter waits for more bytes before it passes on a few; None for any other port."""
    try:
        return int((devices / path.resolve().name / "latency_timer").read_text())
    except (OSError, ValueError):
        return None


def holders(path: Path, proc: Path = Path("/proc")) -> list[str]:
    """`picocom (process 1234)` for every other process that has it open, as far as we may look."""
    device = path.stat().st_rdev
    found = []
    for process in sorted((p for p in proc.glob("[0-9]*") if p.name != str(os.getpid())), key=lambda p: int(p.name)):
        if _has_open(process, device):
            found.append(f"{_command(process)} (process {process.name})")
    return found


def _has_open(process: Path, device: int) -> bool:
    """Whoever holds a pty's other side may keep this side open as well: that is the device itself, no second reader."""
    try:
        open_here = [number for entry in (process / "fd").iterdir() if (number := _device(entry)) is not None]
    except OSError:
        return False  # another user's, or it has just ended
    return device in open_here and PTY_MASTER not in open_here


def _device(entry: Path) -> int | None:
    """The device number behind an open descriptor; None for a file, or one that has just been closed."""
    try:
        node = entry.stat()
    except OSError:
        return None
    return node.st_rdev if stat.S_ISCHR(node.st_mode) else None


def _command(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"
