"""Our own virtual devices keep to the page that we ask others to keep to, and survive whatever is said to them."""

import random
from pathlib import Path

import pytest

from device_models.serve.build import new_device
from linac_ctl.config.loader import load_machine
from linac_ctl.hil.bench import Options
from linac_ctl.hil.client import Client
from linac_ctl.hil.kit import chosen, examine, meet
from linac_ctl.hil.vectors import vectors
from linac_ctl.hil.verdict import State
from linac_ctl.served import Machinery
from tests.serve.imagers import ImagerBench

CYCLE_US, DELAY_US = 10_000, 200
UNITS = ("gantry", "couch", "mlc", "kv_arms", "beam", "room", "safety")


class RackLine:
    """A virtual device and the line to it, in virtual time: waiting is what lets cycles pass."""

    up, why, dropped = True, "", 0

    def __init__(self, name: str) -> None:
        machinery = Machinery(load_machine("c_arm_m120"), 1)
        self.rack, self.out, self.us, self.due_us = machinery.rack, bytearray(), 0, CYCLE_US
        self.device = new_device(name, self.rack, machinery.plant, 1, self.out.extend)

    def now_us(self) -> int:
        return self.us

    def write(self, frame: bytes) -> bool:
        self.pass_time(DELAY_US)
        self.device.hear(frame)
        self.rack.serve()
        return True

    def read(self, timeout_s: float = 0.0) -> bytes:
        end_us = self.us + int(timeout_s * 1e6)
        while not self.out and self.us < end_us:
            self.pass_time(max(min(self.due_us, end_us) - self.us, 1))
        data = bytes(self.out)
        self.out.clear()
        return data

    def pass_time(self, us: int) -> None:
        self.us += us
        while self.us >= self.due_us:
            self.due_us += CYCLE_US
            if not self.rack.lockstep:
                self.rack.step()


class ImagerLine(RackLine):
    """As RackLine, to an imager."""

    def __init__(self, name: str, folder: Path) -> None:
        bench = ImagerBench(name, folder, ready=False)
        self.out, self.us, self.due_us, self.device, self.rack = bench.bytes, 0, CYCLE_US, bench.device, bench.device.beside
        self.rack.cycles_done = lambda: self.us // CYCLE_US

    def pass_time(self, us: int) -> None:
        self.us += us
        self.rack.catch_up()


@pytest.mark.parametrize("name", ["kv_imager", "mv_imager"])
def test_a_virtual_imager_passes_the_conformance_kit(name, tmp_path):
    line = ImagerLine(name, tmp_path)
    findings = examine(meet(Client(line, line.now_us), Options(motion=True, port=name)), chosen(()))
    assert [f"{f.name}: {s.text}: {s.seen}" for f in findings for s in f.wrong] == []
    assert sum(finding.state is State.PASSED for finding in findings) >= 16


@pytest.mark.parametrize("name", UNITS)
def test_a_virtual_device_passes_the_conformance_kit(name):
    line = RackLine(name)
    bench = meet(Client(line, line.now_us), Options(motion=True, port=name))
    findings = examine(bench, chosen(()))
    assert [f"{f.name}: {s.text}: {s.seen}" for f in findings for s in f.wrong] == []
    assert sum(finding.state is State.PASSED for finding in findings) >= 16


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("seed", range(3))
def test_any_bytes_in_any_pieces_crash_no_device_and_move_nothing_without_power(name, seed):
    draw, line = random.Random(seed), RackLine(name)
    known = [vector.data for vector in vectors("valid", "invalid", "adversarial", "typed")]
    for _ in range(300):
        data = bytearray(draw.choice(known) if draw.random() < 0.8 else draw.randbytes(draw.randint(0, 300)))
        if data and draw.random() < 0.5:
            data[draw.randrange(len(data))] = draw.randrange(256)
        line.write(bytes(data[: draw.randint(0, len(data))]))
        line.read(0.02)
    asking = Client(line, line.now_us)
    asking.say(b"\r\n")
    assert asking.ask("HI").ok
    counts = line.device.counts
    assert counts.good and counts.invalid and len(line.device.decoder._held) <= line.device.maxline + 1
