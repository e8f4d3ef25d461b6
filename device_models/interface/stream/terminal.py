"""What a terminal knows about its line: the rate."""

import fcntl
import struct
import termios

TCGETS2 = 0x802C542A  # Linux: struct termios2, with the rates as numbers, also those without a B constant
TERMIOS2 = struct.Struct("=4IB19B2I")


def baud_of(fd: int) -> int:
    """Bits per second set by whoever opened the terminal; of a pty's master: set by its client."""
    try:
        raw = fcntl.ioctl(fd, TCGETS2, bytes(TERMIOS2.size))
    except OSError:
        return _table().get(termios.tcgetattr(fd)[5], 0)
    return int(TERMIOS2.unpack(raw)[-1])


def _table() -> dict[int, int]:
    """B115200 -> 115200, for systems where the constants are not the rates."""
    names = [name for name in dir(termios) if name[0] == "B" and name[1:].isdigit()]
    return {getattr(termios, name): int(name[1:]) for name in names}
