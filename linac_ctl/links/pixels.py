"""Fetches the pixels that `PX` points at: from a file, or from a TCP port. Whatever is wrong is one DeviceError."""

import os
import socket
import stat
import time
from typing import Any

import numpy as np

from ..errors import DeviceError

PATIENCE_S = 10.0  # for all bytes of one frame
BYTES_PER_PIXEL = 2


def fetch(who: str, place: str, number: int, rows: int, columns: int, patience_s: float = PATIENCE_S) -> Any:
    """(rows, columns) uint16 of the frame at `place`: `file=PATH` or `tcp=HOST:PORT`."""
    size = rows * columns * BYTES_PER_PIXEL
    way, _, where = place.partition("=")
    if way not in ("file", "tcp") or not where:
        raise DeviceError(f"{who}: pixels of frame {number} are at {place!r}, which is neither file=PATH nor tcp=HOST:PORT")
    whose = f"{who}: pixels of frame {number} ({place})"
    try:
        data = from_file(whose, where, size) if way == "file" else from_tcp(whose, where, number, size, patience_s)
    except OSError as error:
        raise DeviceError(f"{whose}: {error.strerror or error}; look at the imager's computer, then image again") from None
    return np.frombuffer(data, "<u2").astype(np.uint16).reshape(rows, columns)


def from_file(whose: str, path: str, size: int) -> bytes:
    """All of it, if it is a file of this size: anything else could keep us waiting."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise DeviceError(f"{whose}: is no file; look at the imager's settings")
        data = file.read(size + 1)
    return fitting(whose, data, size)


def from_tcp(whose: str, address: str, number: int, size: int, patience_s: float) -> bytes:
    """Says the number, and takes what comes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise DeviceError(f"{whose}: no HOST:PORT; look at the imager's settings")
    until_s = time.monotonic() + patience_s
    with socket.create_connection((host.strip("[]"), int(port)), patience_s) as line:
        line.sendall(f"{number}\n".encode())
        data = bytearray()
        while len(data) < size and (left_s := until_s - time.monotonic()) > 0.0:
            line.settimeout(left_s)
            if not (came := received(line, size - len(data))):
                break
            data += came
    return fitting(whose, bytes(data), size)


def received(line: socket.socket, most: int) -> bytes:
    """What is there; b"" when the other end closed or time is up."""
    try:
        return line.recv(min(most, 1 << 20))
    except TimeoutError:
        return b""


def fitting(whose: str, data: bytes, size: int) -> bytes:
    """Neither less nor more."""
    if len(data) == size:
        return data
    came = f"{len(data)}" if len(data) < size else f"more than {size}"
    raise DeviceError(f"{whose}: {came} bytes came, rows x columns x 2 are {size}; look at the panel's link, then image again")
