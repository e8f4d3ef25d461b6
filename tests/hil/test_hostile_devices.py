"""Whatever a device says, the kit ends with findings or one clear error, in bounded time and memory."""

import random

import pytest

from linac_ctl.errors import LinacError
from linac_ctl.hil.bench import Options
from linac_ctl.hil.client import Client
from linac_ctl.hil.kit import CHECKS, examine, meet
from linac_ctl.hil.report import CheckReport, page
from linac_ctl.hil.verdict import State
from tests.hil.bench_device import Device, VirtualLine

WORDS = ("0", "1", "2", "-1", "nan", "4294967295", "9999999999", "limit", "axis=0", "low=nan", "high=", "B=AAAA", "D=", "word",
         "session=0123ABCD", "proto=1", "axes=2", "axes=-1", "axes=999", "maxline=1", "maxline=160", "baud=-5", "unit=mlc",
         "caps=ls,bk,ar")


class Babbler(Device):
    """Answers well most of the time, else with any words."""

    seed, share = 0, 0.1

    def __post_init__(self):
        super().__post_init__()
        self.random = random.Random(self.seed)

    def answer(self, line):
        body = super().answer(line)
        if self.random.random() > self.share:
            return body
        verb = self.random.choice(("OK", "ER", "OK", "ZZ"))
        return " ".join((verb, *self.random.choices(WORDS, k=self.random.randint(0, 6))))


class Shredder(Babbler):
    """Bytes get lost or changed on the way back."""

    def say(self, line):
        if self.random.random() < self.share and hasattr(self, "random"):
            at = self.random.randrange(len(line))
            line = self.random.choice((line[:at], line[:at] + bytes((self.random.randrange(256),)) + line[at + 1 :], b""))
        super().say(line)

    def answer(self, line):
        return Device.answer(self, line)


class Flood(Device):
    """Telemetry and events without end, and never an answer in time."""

    def pass_time(self, ms):
        super().pass_time(ms)
        if len(self.out) < 10_000:
            self.event("NEWS" + "x" * 100)


@pytest.mark.parametrize("kind", [Babbler, Shredder])
@pytest.mark.parametrize("seed", range(12))
def test_nonsense_is_a_finding_and_no_crash(kind, seed):
    class Seeded(kind):
        random = random.Random(0)

    Seeded.seed, Seeded.share = seed, (0.02, 0.1, 0.4)[seed % 3]
    line = VirtualLine(Seeded(caps=((), ("ls",), ("ar",))[seed % 3]))
    asking = Client(line, line.now_us, wait_ms=20.0)
    try:
        bench = meet(asking, Options(motion=True, port="bench", seconds=0.5))
    except LinacError:
        return
    findings = examine(bench, CHECKS)
    assert len(findings) == len(CHECKS) and any(finding.state is State.FAILED for finding in findings)
    assert "FAIL" in page(CheckReport(bench.told, findings, "bench", True, "now"))


def test_a_device_that_floods_the_line_does_not_fill_the_memory():
    line = VirtualLine(Flood())
    asking = Client(line, line.now_us)
    for _ in range(50):
        asking.ask("ST")
        asking.listen(200.0)
    assert len(asking.events) <= 20_000 and len(asking.traffic) <= 20_000
