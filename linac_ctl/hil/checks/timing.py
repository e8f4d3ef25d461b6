"""How long a device takes to answer, and how its clock runs beside ours."""

from itertools import pairwise

from ..bench import Bench
from ..clock_fit import Reading, fit
from ..spread import histogram, spread

TRIPS = 300
LOST_MS = 30.0  # three cycles without an answer are a link lost
MOST_DRIFT = 0.01  # a second of the device is a second of ours
READ_EVERY_MS = 25.0
WRAP = 2**32


def timing(bench: Bench) -> None:
    """Round trips of the cyclic request."""
    trips_us: list[float] = []
    end_us = bench.client.now_us() + int(bench.options.seconds * 2e6)
    while len(trips_us) < TRIPS and bench.client.now_us() < end_us:
        trips_us.append(float(bench.cyclic(0).trip_us))
    found = spread(trips_us)
    bench.expect(found.p99_us <= LOST_MS * 1000.0, f"99 of 100 answers come within {LOST_MS:g} ms", found.line())
    for name, value in (("p50", found.p50_us), ("p99", found.p99_us), ("max", found.max_us)):
        bench.measure(f"round trip of SV, {name} of {found.count}", value / 1000.0, "ms")
    bench.finding.pictures.append(histogram("Round trips of SV", trips_us))


def clock(bench: Bench) -> None:
    """Its rate, from the fastest exchanges of a few seconds."""
    readings: list[Reading] = []
    first_ms = bench.ask("CN").t_ms
    end_us = bench.client.now_us() + int(bench.options.seconds * 1e6)
    while bench.client.now_us() < end_us:
        reply = bench.ask("CN")
        device_us = ((reply.t_ms - first_ms) % WRAP) * 1000.0
        readings.append(Reading(float(reply.sent_us), float(reply.heard.t_us), device_us))
        bench.client.listen(READ_EVERY_MS)
    backwards = [f"{now.device_us - then.device_us:g} us" for then, now in pairwise(readings) if now.device_us < then.device_us]
    bench.every("t never runs backwards", backwards)
    found = fit(readings)
    most_ppm = MOST_DRIFT * 1e6 + found.uncertainty_ppm
    bench.expect(abs(found.drift_ppm) <= most_ppm, "its second is ours within 1 %",
                 f"{found.drift_ppm:+.0f} ppm, known to {found.uncertainty_ppm:.0f}")
    bench.measure("clock of the device beside ours (positive: fast)", found.drift_ppm, "ppm")
    bench.measure("its uncertainty", found.uncertainty_ppm, "ppm")
