"""The line that a `hil` command was given: PORT, opened, with a clock."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click

from device_models.interface.stream.tap import TapFile, Tapped, TappedStream
from linac_ctl.errors import LinkUrlError, RecordError
from linac_ctl.hil.client import WAIT_MS, Client
from linac_ctl.links.open import open_link
from linac_ctl.links.url import DEFAULT_BAUD, LinkUrl, parse_url

BAUD = click.option("--baud", type=click.IntRange(50, 20_000_000),
                    help="Rate of a serial port that PORT names by its path; 115200.")
WAIT = click.option("--wait", "wait_ms", default=WAIT_MS, show_default=True, type=click.FloatRange(1.0, 60_000.0), metavar="MS",
                    help="How long a reply may take.")

TAP = click.option("--tap", type=click.Path(path_type=Path, dir_okay=False),
                   help="Write every byte of the line to this file as well.")


def now_us() -> int:
    """Never runs backwards."""
    return time.monotonic_ns() // 1000


def url_of(port: str, baud: int | None) -> LinkUrl:
    """A link, or the path of a serial port."""
    if port.startswith(("/", "./", "../")) or os.path.lexists(port):
        return parse_url(f"serial://{quote(str(Path(port).absolute()))}?baud={baud or DEFAULT_BAUD}")
    if baud is not None:
        raise LinkUrlError(f"port {port!r}: --baud is for paths; a link says it itself, like serial:///dev/ttyUSB0?baud={baud}")
    return parse_url(port)


@contextmanager
def client(url: LinkUrl, wait_ms: float, tap: Path | None) -> Iterator[Client]:
    """Somebody who asks; the line is closed at the end whatever happens."""
    with tapped(tap) as note:
        stream = TappedStream(open_link(url), note, now_us)
        try:
            yield Client(stream, now_us, wait_ms)
        finally:
            stream.close()


@contextmanager
def tapped(tap: Path | None) -> Iterator[Callable[[Tapped], None]]:
    """Where portions go: a tap file, at once, or nowhere. RecordError if it cannot be written."""
    if tap is None:
        yield lambda portion: None
        return
    try:
        file = tap.open("w", encoding="ascii")
    except OSError as error:
        raise RecordError(f"{tap}: cannot be written: {error.strerror}; name another file with --tap") from None
    with file:
        writer = TapFile(file)

        def note(portion: Tapped) -> None:
            writer.note(portion)
            writer.flush()

        yield note
