"""Pixels come from a file or a TCP port, all of them, or there is one clear error."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from linac_ctl.errors import DeviceError
from linac_ctl.links.pixels import fetch

WHO, ROWS, COLUMNS = "kV imager", 2, 3
PIXELS = np.array([[1, 2, 3], [256, 65535, 0]], np.uint16)
BYTES = PIXELS.astype("<u2").tobytes()


def get(place: str, patience_s: float = 5.0) -> np.ndarray:
    return fetch(WHO, place, 7, ROWS, COLUMNS, patience_s)


def refused(place: str, patience_s: float = 5.0) -> str:
    with pytest.raises(DeviceError) as error:
        get(place, patience_s)
    assert str(error.value).startswith(f"{WHO}: pixels of frame 7")
    return str(error.value)


@contextmanager
def served(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """One client is answered so."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve() -> None:
            client, _ = server.accept()
            with client:
                answer(client)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"tcp=127.0.0.1:{server.getsockname()[1]}"
        thread.join(10.0)


def test_a_file_is_read_row_by_row_little_endian(tmp_path: Path) -> None:
    (tmp_path / "a.u16").write_bytes(BYTES)
    found = get(f"file={tmp_path / 'a.u16'}")
    assert np.array_equal(found, PIXELS) and found.dtype == np.uint16


def test_over_tcp_the_number_is_said_and_just_the_bytes_come_in_whatever_pieces() -> None:
    heard: list[bytes] = []

    def answer(client: socket.socket) -> None:
        heard.append(client.recv(100))
        for byte in BYTES:
            client.sendall(bytes([byte]))

    with served(answer) as place:
        assert np.array_equal(get(place), PIXELS)
    assert heard == [b"7\n"]


@pytest.mark.parametrize(("data", "words"), [(BYTES[:-1], "11 bytes came, rows x columns x 2 are 12"),
                                              (b"", "0 bytes came"), (BYTES + b"x", "more than 12 bytes came")])
def test_a_file_of_another_size_is_no_frame(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.u16").write_bytes(data)
    assert words in refused(f"file={tmp_path / 'a.u16'}")


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    assert "No such file" in refused(f"file={tmp_path / 'none.u16'}")
    assert "Is a directory" in refused(f"file={tmp_path}")
    os.mkfifo(tmp_path / "pipe")
    assert "is no file" in refused(f"file={tmp_path / 'pipe'}")


def test_a_port_where_nobody_listens_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "Connection refused" in refused(f"tcp=127.0.0.1:{port}")


def test_a_peer_that_hangs_up_early_or_says_nothing_gives_no_frame() -> None:
    with served(lambda client: (client.recv(100), client.sendall(BYTES[:5]))) as place:
        assert "5 bytes came" in refused(place)
    with served(lambda client: (client.recv(100), client.recv(100))) as place:  # until we hang up
        assert "0 bytes came" in refused(place, 0.2)


@pytest.mark.parametrize("place", ["", "file=", "ftp=x", "pixels", "file"])
def test_a_place_of_no_known_kind_is_named(place: str) -> None:
    assert "neither file=PATH nor tcp=HOST:PORT" in refused(place)


@pytest.mark.parametrize("place", ["tcp=localhost", "tcp=:80", "tcp=localhost:0", "tcp=localhost:99999", "tcp=localhost:x"])
def test_an_address_that_is_none_is_named(place: str) -> None:
    assert "no HOST:PORT" in refused(place)
