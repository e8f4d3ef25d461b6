"""`linac-ctl hil probe PORT`: how good is the line, and what fits through it?"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from linac_ctl.hil.probe import SLOW_TIMER_MS, Probed, probe
from linac_ctl.hil.spread import duration
from linac_ctl.links.holders import latency_timer_ms
from linac_ctl.records.jsonio import dumps

from .hil_line import BAUD, TAP, WAIT, client, url_of

CYCLE_US = 10_000.0


@click.command("probe")
@click.argument("port")
@BAUD
@WAIT
@TAP
@click.option("--count", default=500, show_default=True, type=click.IntRange(10, 100_000), help="Exchanges to measure.")
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.1, 3600.0),
              help="How long clocks are compared.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def command(port: str, baud: int | None, wait_ms: float, tap: Path | None, count: int, seconds: float, as_json: bool) -> None:
    """Measure the line to the device at PORT: round trips, clock, latency timer, and the rates that fit through it.

    Nothing moves. Exit 6 if there is no device.
    """
    url = url_of(port, baud)
    with client(url, wait_ms, tap) as asking:
        found = probe(asking, port, url.baud, count, seconds, latency_timer_ms(Path(url.path)) if url.path else None)
    click.echo(dumps(as_data(found), indent=1) if as_json else "\n".join(lines(found)))


def as_data(found: Probed) -> dict[str, Any]:
    """For JSON."""
    return {
        "device": found.told.keys, "up_ms": found.up_ms,
        "round_trip": asdict(found.trips), "baud": found.baud, "line_alone_us": found.floor_us,
        "clock": {"drift_ppm": found.clock.drift_ppm, "uncertainty_ppm": found.clock.uncertainty_ppm},
        "latency_timer_ms": found.latency_timer_ms, "budget": None if found.budget is None else asdict(found.budget),
    }


def lines(found: Probed) -> Iterator[str]:
    """For people."""
    keys = found.told.keys
    yield f"device        {keys.get('unit')} {keys.get('serial')}, firmware {keys.get('fw')}, {keys.get('axes')} axes"
    yield f"round trip    {found.trips.line()}" + (f"; its bytes alone take {duration(found.floor_us)}" if found.floor_us else "")
    if found.trips.p99_us > CYCLE_US:
        yield f"{'':14}-> longer than a cycle of 10 ms: readings will be late"
    drift, unsure = found.clock.drift_ppm, found.clock.uncertainty_ppm
    yield f"clock         {drift:+.0f} ppm beside ours, known to {unsure:.0f}; its zero was {found.up_ms / 1000:.3f} s ago"
    yield from timer(found.latency_timer_ms)
    yield from rates(found)


def timer(ms: int | None) -> Iterator[str]:
    """Of the adapter."""
    yield f"latency timer {'none: no USB adapter of that kind' if ms is None else f'{ms} ms'}"
    if ms is not None and ms > SLOW_TIMER_MS:
        yield f"{'':14}-> holds short answers back: setserial PORT low_latency, or look at the adapter's driver"


def rates(found: Probed) -> Iterator[str]:
    """What fits."""
    if (fits := found.budget) is None:
        yield f"budget        not known for a unit {found.told.unit!r}"
        return
    yield f"budget        SV of {fits.asked_bytes} bytes, answer of {fits.answered_bytes}: highest rate of one exchange per cycle"
    for rate, hz in fits.rate_hz.items():
        here = "  <- this line" if rate == found.baud else ""
        yield f"{rate:>14} baud {hz:7.0f} Hz  {'' if fits.enough(rate) else 'less than 100 Hz'}{here}".rstrip()
