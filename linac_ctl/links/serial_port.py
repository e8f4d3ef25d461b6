"""Opens a serial port: pyserial sets the line up, then its descriptor is ours."""

import errno
import os
import termios
from pathlib import Path

import serial

from device_models.interface.stream import FdStream
from device_models.interface.stream.terminal import baud_of

from ..config.suggest import did_you_mean
from ..errors import LinkError
from .holders import group_of, holders, is_terminal, ports_here
from .url import LinkUrl

RATE_TOLERANCE = 0.03  # of the rate: beyond it bytes are misread (half a bit in ten is 0.05, for both ends together)


def open_serial(url: LinkUrl) -> FdStream:
    """8N1, no flow control, ours alone, what was left in its buffers thrown away."""
    _refuse(url)
    line = serial.Serial(baudrate=url.baud, timeout=0, exclusive=True)
    line.port = url.path
    if url.dtr is not None:
        line.dtr = url.dtr
    if url.rts is not None:
        line.rts = url.rts
    try:
        line.open()
    except (serial.SerialException, ValueError, OSError) as error:
        raise LinkError(f"{url}: {_words(url, error)}") from None
    try:
        return _taken_over(url, line)
    finally:
        line.close()


def _refuse(url: LinkUrl) -> None:
    """What can be said before anything is opened."""
    path = Path(url.path)
    if not _there(url, path):
        raise LinkError(f"{url}: {_absent(path)}")
    if not path.is_char_device():
        kind = "a folder" if path.is_dir() else "a file"
        raise LinkError(f"{url}: {path} is {kind}, not a serial port; {_ports()}")
    if not is_terminal(path):
        raise LinkError(f"{url}: no serial line behind {path}, it is another kind of device; {_ports()}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise LinkError(f"{url}: {_denied(path)}")
    if users := holders(path):
        raise LinkError(f"{url}: in use by {', '.join(users)}; a second reader would steal bytes, so close it first")


def _there(url: LinkUrl, path: Path) -> bool:
    """False where nothing is; what else keeps us from finding out is an error of its own."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        raise LinkError(f"{url}: no permission to get at {path.parent}; ask its owner, or let it be offered elsewhere") from None
    except OSError as error:
        raise LinkError(f"{url}: no name of a port: {error.strerror}; {_ports()}") from None
    return True


def _taken_over(url: LinkUrl, line: serial.Serial) -> FdStream:
    """The descriptor without pyserial; the lock and the levels of DTR and RTS stay with it."""
    fd = os.dup(line.fileno())
    try:
        if abs((got := baud_of(fd)) - url.baud) > RATE_TOLERANCE * url.baud:
            raise LinkError(f"{url}: the port cannot do {url.baud} baud, it gives {got}; ask for that or for another rate")
        _quick(line)
        mode = termios.tcgetattr(fd)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0  # as pyserial leaves it, "nothing yet" would look like a hang-up
        termios.tcsetattr(fd, termios.TCSANOW, mode)
        termios.tcflush(fd, termios.TCIOFLUSH)
    except BaseException:
        os.close(fd)
        raise
    return FdStream(fd, url.path)


def _quick(line: serial.Serial) -> None:
    """Adapters that hold bytes back for up to 16 ms are told not to."""
    try:
        line.set_low_latency_mode(True)
    except (OSError, ValueError, NotImplementedError):
        pass  # ptys and some drivers have no such thing; `hil probe` measures what it costs


def _words(url: LinkUrl, error: Exception) -> str:
    """What pyserial met, in ours."""
    number = getattr(error, "errno", None)
    if number in (errno.EWOULDBLOCK, errno.EBUSY):
        return "in use: another program has locked it; close that program first"
    if number in (errno.EACCES, errno.EPERM):
        return _denied(Path(url.path))
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return _absent(Path(url.path))
    text = str(error).lower()
    if "baud" in text or isinstance(error, ValueError):
        return f"the port cannot do {url.baud} baud; ask for another rate"
    if "could not configure" in text or number in (errno.EIO, errno.ENOTTY):
        return f"no serial line behind {url.path} (it cannot be set up); {_ports()}"
    return f"cannot be opened ({error})"


def _absent(path: Path) -> str:
    near = did_you_mean(str(path), [*(port.split(" ")[0] for port in ports_here()), *_beside(path)])
    return f"no port {path}{near}; {_ports()}"


def _beside(path: Path) -> list[str]:
    """Names in the same folder: those of virtual devices, say. /dev has hundreds that are no ports."""
    folder = path.parent
    return sorted(map(str, folder.iterdir())) if folder != Path("/dev") and os.access(folder, os.R_OK) else []


def _ports() -> str:
    here = ports_here()
    return f"ports of this computer: {', '.join(here)}" if here else "this computer has no serial port; plug the adapter in"


def _denied(path: Path) -> str:
    group = group_of(path)
    if group is None:
        return f"no permission for {path}: its owner gives it to no group; sudo chmod g+rw {path}, or ask the owner"
    return f"no permission for {path}, it belongs to the group {group}: sudo usermod -aG {group} $USER, then log in again"
