"""A session whose couch is the reference firmware: bytes over a pty, time in lockstep."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from linac_ctl.links.url import parse_url
from linac_ctl.order import Order
from tests.firmware.emulated import cortex_m3, on_a_pty_of_qemu
from tests.firmware.programs import behind_a_pty
from tests.scenarios.bench import Bench, at_mu
from tests.support import Run, order_for, quick, run, small_static

MACHINE = "c_arm_m120_couch3"


@pytest.fixture
def couch(program: Path, tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """The firmware, and where it is."""
    process, name = behind_a_pty(str(program), "--pty", str(tmp_path / "couch"))
    yield process, f"serial:{name}"
    end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """For good; a second time does nothing."""
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def session(url: str) -> Order:
    """One field; the couch has to go to its place first."""
    order = order_for(quick(MACHINE), [small_static(quick(MACHINE), mu=5.0, mode="6X")])
    return replace(order, links={"couch": parse_url(url)})


def gives_its_dose(sim: Run) -> None:
    """Every cycle was answered and the dose is there."""
    assert sim.hardware is not None
    port = sim.hardware.ports[0]
    assert (port.identity.firmware, port.lockstep) == ("reference-1.0", True)
    assert sim.error is None and sim.mu(1) == pytest.approx(5.0, abs=0.1)
    assert port.stats.answered > 1000 and port.stats.refused == port.stats.invalid == 0


def test_a_session_with_the_firmware_as_couch_gives_its_dose_the_same_every_time(couch, program: Path, tmp_path: Path) -> None:
    first = run(session(couch[1]))
    gives_its_dose(first)
    process, name = behind_a_pty(str(program), "--pty", str(tmp_path / "another"))
    second = run(session(f"serial:{name}"))
    end(process)
    if missed(first) or missed(second):
        pytest.skip("this computer is too busy: the firmware stood still for longer than an answer is waited for")
    assert first.finish() == second.finish()


def missed(sim: Run) -> int:
    """Cycles without an answer; in lockstep there are none unless somebody stood still."""
    assert sim.hardware is not None
    return sim.hardware.ports[0].stats.missed_cycles


@pytest.mark.xdist_group("firmware-emulated")
def test_a_session_with_the_emulated_cortex_m3_as_couch_gives_its_dose(tmp_path: Path) -> None:
    process, name = on_a_pty_of_qemu(cortex_m3, tmp_path)
    try:
        sim = run(session(f"serial:{name}"))
    finally:
        end(process)
    if missed(sim):
        pytest.skip("this computer is too busy: qemu stood still for longer than an answer is waited for")
    gives_its_dose(sim)


def test_the_firmware_killed_in_the_beam_is_a_latched_stop(couch) -> None:
    bench = Bench(session(couch[1]), [at_mu(1, 2.0, lambda _: end(couch[0]))])
    bench.run()
    trips = {trip.id: trip for trip in bench.linac.panel.history}
    assert next(trip.id for trip in bench.linac.panel.history if trip.first_out) == "LINK_DOWN"
    assert trips["LINK_DOWN"].latched and bench.error is not None and bench.mu(1) < 3.0
