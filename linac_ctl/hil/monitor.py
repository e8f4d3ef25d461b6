"""Watches a line: what comes by itself, or telemetry that is asked for and kept alive."""

from collections.abc import Iterator

from .client import Client
from .contact import hello
from .traffic import Reader
from .verdict import Heard

FEED_MS = 500.0
WD_MS = 2000
LOOK_MS = 50.0


def watch(client: Client, for_ms: float, telemetry_ms: int, port: str) -> Iterator[Heard]:
    """Every line of both directions, until the time is over or the line goes down."""
    reader, end_us = Reader(client.now_us()), client.now_us() + int(for_ms * 1000.0)
    fed_us = start(client, telemetry_ms, port)
    while client.stream.up and client.now_us() < end_us:
        yield from passed(client, reader)
        client.listen(LOOK_MS)
        if telemetry_ms and client.now_us() - fed_us > FEED_MS * 1000.0 and client.stream.up:
            fed_us = client.ask("WD", repeats=2).sent_us
    if telemetry_ms and client.stream.up:
        say_all(client, "TM 0", "TT")
    yield from passed(client, reader)
    yield from reader.rest()


def start(client: Client, telemetry_ms: int, port: str) -> int:
    """Ask for telemetry, if it is wanted; -> when the watchdog was fed."""
    if telemetry_ms:
        hello(client, port)
        say_all(client, f"WD {WD_MS}", f"TM {telemetry_ms}")
    return client.now_us()


def say_all(client: Client, *bodies: str) -> None:
    """One after the other."""
    for body in bodies:
        client.ask(body, repeats=2)


def passed(client: Client, reader: Reader) -> Iterator[Heard]:
    """What went over the line since the last call."""
    client.forget()
    while client.traffic:
        yield from reader.feed(client.traffic.popleft())
