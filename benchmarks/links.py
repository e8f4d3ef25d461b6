"""Devices behind bytes: our way over a pty against a bare loop, in turns; five devices' share of a core; lockstep sessions."""

import os
import signal
import tempfile
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.measure import Row
from device_models.interface.stream.fd import FdStream
from device_models.interface.wire.framing import REPLY, REQUEST, Decoder, make
from linac_ctl.links.url import parse_url
from tests.support import Run, order_for
from tools.pull_the_plug import forked

SV = "SV 1 -120000 45000 -200000 0 1500 -1500"
STATUS = "OK 1234560 3 3 -119998 45001 -200002 1 1499 -1501 0 0 0 0 0 0"
FIVE = ("gantry", "collimator", "jaws", "carriages", "couch")
TURNS, TRIPS = 25, 200
SECONDS = 10.0
Exchange = Callable[[int], None]


@contextmanager
def peer() -> Iterator[int]:
    """Descriptor of the controller's end of a pty whose other end is a process that answers a status, and no more."""
    master, slave = os.openpty()
    tty.setraw(slave)
    if (pid := os.fork()) == 0:
        os.close(slave)
        answer(master)
    os.close(master)
    try:
        yield slave
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def answer(fd: int) -> None:
    """For ever."""
    said = make(REPLY, 0, STATUS)
    try:
        while os.read(fd, 4096):
            os.write(fd, said)
    finally:
        os._exit(0)


def bare(fd: int) -> Exchange:
    """os.write and os.read."""
    asked = make(REQUEST, 0, SV)

    def exchange(trips: int) -> None:
        for _ in range(trips):
            os.write(fd, asked)
            os.read(fd, 4096)

    return exchange


def streamed(stream: FdStream) -> Exchange:
    """The same bytes through a stream of ours."""
    asked = make(REQUEST, 0, SV)

    def exchange(trips: int) -> None:
        for _ in range(trips):
            stream.write(asked)
            stream.read(1.0)

    return exchange


def framed(stream: FdStream) -> Exchange:
    """A line made and sent, its answer received and checked."""
    decoder = Decoder()

    def exchange(trips: int) -> None:
        for k in range(trips):
            stream.write(make(REQUEST, k, SV))
            assert [line.verb for line in decoder.feed(stream.read(1.0))] == ["OK"]

    return exchange


def in_turns_us(ways: list[Exchange]) -> list[list[float]]:
    """us per exchange of each way, turn by turn; a turn of all of them is short, so that all meet the same machine."""
    for way in ways:
        way(TRIPS)
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(TURNS):
        for way, us in zip(ways, found, strict=True):
            begin = time.perf_counter()
            way(TRIPS)
            us.append((time.perf_counter() - begin) / TRIPS * 1e6)
    return found


def round_trip() -> list[Row]:
    """Ratios of the fastest turns, and the median of the ratios turn by turn, which a busy machine disturbs."""
    with peer() as first, peer() as second, peer() as third:
        two, three = FdStream(second, "benchmark"), FdStream(third, "benchmark")
        plain, moved, whole = in_turns_us([bare(first), streamed(two), framed(three)])
        two.close()
        three.close()
        os.close(first)

    def row(what: str, us: list[float]) -> Row:
        typical = median(a / b for a, b in zip(us, plain, strict=True))
        note = f"{min(us):.1f} against {min(plain):.1f} us; median {typical:.2f}"
        return Row(what, min(us) / min(plain), "x bare loop", "< 2", note)

    return [row("round trip over a pty, our stream", moved), row("round trip over a pty, with framing and CRC", whole)]


def linked(links: dict[str, str], speed: float | None) -> Run:
    """The bench machine with these devices behind bytes."""
    order = replace(order_for("bench_small"), links={name: parse_url(url) for name, url in links.items()})
    return Run(order, speed=speed)


@contextmanager
def served(names: tuple[str, ...]) -> Iterator[Path]:
    """Folder with these devices of the bench machine, in a process of their own."""
    with tempfile.TemporaryDirectory() as work:
        place = Path(work) / "ports"
        pid = forked(["devices", "serve", *names, "--machine", "bench_small", "--pty", str(place)], Path(work) / "out")
        until_s = time.monotonic() + 60.0
        while not (place / names[-1]).is_symlink() and time.monotonic() < until_s:
            time.sleep(0.01)
        try:
            yield place
        finally:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


def busy_percent(sim: Run) -> float:
    """Share of a core of this process while a session keeps real time."""
    sim.step(10)
    begin, wall = time.process_time(), time.perf_counter()
    sim.run_for(SECONDS)
    share = (time.process_time() - begin) / (time.perf_counter() - wall)
    end(sim)
    return share * 100


def share() -> list[Row]:
    """Devices in another process, with clocks of their own; then both ends here; then the same machine without lines."""
    with served(FIVE) as place:
        outside = busy_percent(linked({name: f"serial://{place / name}?lockstep=off" for name in FIVE}, 1.0))
    both, none = (busy_percent(linked(dict.fromkeys(names, "pty:"), 1.0)) for names in (FIVE, ()))
    note = f"of it {none:.1f} without lines; {(outside - none) * 20:.0f} us per device and cycle"
    return [Row("five devices at 100 Hz over ptys, of a core", outside, "%", "< 10", note),
            Row("the same, devices' ends in it too", both, "%")]


def end(sim: Run) -> None:
    """What is left of its session, quickly."""
    sim.set_speed(None)
    sim.abort()
    sim.run()
    sim.finish()


def lockstep(names: tuple[str, ...]) -> Row:
    """A whole session as fast as it goes, both ends in this process."""
    sim = linked(dict.fromkeys(names, "pty:"), None)
    sim.step()
    wall, cpu, first = time.perf_counter(), time.process_time(), sim.engine.cycle
    sim.run()
    spent_s, busy_s, passed_s = time.perf_counter() - wall, time.process_time() - cpu, (sim.engine.cycle - first) * 0.01
    sim.finish()
    assert sim.error is None, sim.error
    what = f"{len(names)} devices" if len(names) > 1 else names[0]
    return Row(f"session in lockstep over ptys, {what}", passed_s / spent_s, "x real time", "> 30, goal 100",
               f"{passed_s:.0f} s; by processor time {passed_s / busy_s:.0f}")


def rows() -> list[Row]:
    """All of it: about three quarters of a minute."""
    return [*round_trip(), *share(), lockstep(("couch",)), lockstep(FIVE)]
