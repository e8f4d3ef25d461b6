"""The line that a `hil` command was given: PORT, opened, with a clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from device_models.interface.stream import Stream
from linac_ctl.errors import LinkUrlError
from linac_ctl.hil.client import WAIT_MS, Client
from linac_ctl.links.open import open_link
from linac_ctl.links.url import LinkUrl, parse_url

BAUD = click.option("--baud", type=click.IntRange(50, 20_000_000),
                    help="Rate of a serial port that PORT names by its path; 115200.")
WAIT = click.option("--wait", "wait_ms", default=WAIT_MS, show_default=True, type=click.FloatRange(1.0, 60_000.0), metavar="MS",
                    help="How long a reply may take.")


def now_us() -> int:
    """Never runs backwards."""
    return time.monotonic_ns() // 1000


def url_of(port: str, baud: int | None) -> LinkUrl:
    """A link, or the path of a serial port."""
    if port.startswith("/"):
        return parse_url(f"serial://{port}?baud={baud or 115200}")
    if baud is not None:
        raise LinkUrlError(f"port {port!r}: --baud is for paths; a link says it itself, like serial:///dev/ttyUSB0?baud={baud}")
    return parse_url(port)


@contextmanager
def opened(url: LinkUrl) -> Iterator[Stream]:
    """The line, closed at the end whatever happens."""
    stream = open_link(url)
    try:
        yield stream
    finally:
        stream.close()


@contextmanager
def client(url: LinkUrl, **settings: Any) -> Iterator[Client]:
    """Somebody who asks."""
    with opened(url) as stream:
        yield Client(stream, now_us, **settings)
