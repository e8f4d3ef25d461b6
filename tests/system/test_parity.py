"""A session is the same bits whether a device is in process or behind a line of bytes: what is on a wire is whole numbers."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from device_models.interface.wire.fields import AXIS_PER, UNITS
from linac_ctl.links.url import parse_url
from linac_ctl.order import Order
from tests.sequencer.guided import guided, room
from tests.support import Run, machine, order_for, quick, run, small_arc

MACHINE = "c_arm_hd120"  # has every device


def order(**links: str) -> Order:
    it = order_for(quick(MACHINE), [small_arc(quick(MACHINE), mode="6X")])
    return replace(it, links={name: parse_url(url) for name, url in links.items()})


def through(session: Order, **kw: Any) -> str:
    sim = run(session, **kw)
    assert sim.error is None and sim.mu(1) == pytest.approx(8.0, abs=0.2)
    assert all(port.stats.missed_cycles == port.stats.invalid == port.stats.refused == 0 for port in ports(sim))
    return sim.finish()


def ports(sim: Run) -> list[Any]:
    return [] if sim.hardware is None else sim.hardware.ports


@cache
def in_process() -> str:
    return through(order())


@pytest.mark.parametrize("name", UNITS)
def test_each_device_behind_bytes_in_memory_gives_the_digest_of_all_in_process(name: str) -> None:
    assert through(order(**{name: "loopback:"})) == in_process()


def test_every_device_behind_a_pty_of_its_own_gives_the_digest_of_all_in_process() -> None:
    assert through(order(**dict.fromkeys(UNITS, "pty:"))) == in_process()


def test_the_couch_behind_a_pty_is_the_same_couch_in_an_image_guided_session() -> None:
    plain, behind = run(guided(), prepared=room()), run(replace(guided(), links={"couch": parse_url("pty:")}), prepared=room())
    assert plain.error is None and behind.error is None and behind.suite.imaging.shifts
    assert behind.finish() == plain.finish()


def test_a_line_that_changes_one_count_changes_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above can fail: one unit in one reading of one cycle is enough."""
    from linac_ctl.links import port

    honest, calls = port.hear_readings, [0]

    def off_by_one(unit: Any, args: Any, wires: Any) -> bool:
        heard = honest(unit, args, wires)
        calls[0] += 1
        if 500 <= calls[0] < 503:  # a row is written every second or fourth cycle
            wires["readback"][0] += 0.001
        return heard

    monkeypatch.setattr(port, "hear_readings", off_by_one)
    assert through(order(couch="loopback:")) != in_process()


class OnGrid:
    """Looks at every number that has a place on a wire, every cycle."""

    def __init__(self, sim: Run) -> None:
        self.sim, self.off, self.looks = sim, {}, 0
        self.off: dict[str, float] = {}
        sim.observers.append((0.01, self.look))

    def look(self) -> None:
        self.looks += 1
        for unit in UNITS.values():
            wires = getattr(self.sim.image, unit.name)
            if unit.axes:
                for field in ("setpoint", "readback", "readback_2"):
                    self.see(f"{unit.name}.{field}", wires[field], AXIS_PER)
                continue
            for value in (*unit.hears, *unit.says):
                cells = wires[value.record_field]
                self.see(f"{unit.name}.{value.name}", cells if value.at == -1 else cells[:, value.at], value.per)

    def see(self, name: str, values: Any, per: int) -> None:
        values = np.asarray(values, float)
        values = values[~np.isnan(values)]
        if not np.array_equal(np.rint(values * per) / per + 0.0, values) or np.signbit(values[values == 0.0]).any():
            self.off[name] = float(values[0])


def test_every_number_that_a_wire_carries_is_on_its_grid_in_every_cycle() -> None:
    sim = Run(order())
    eye = OnGrid(sim)
    sim.run()
    assert sim.error is None and eye.looks > 500 and eye.off == {}


def test_a_number_off_its_grid_is_noticed() -> None:
    sim = Run(order())
    eye = OnGrid(sim)
    sim.image.couch["setpoint"] = 0.0005
    sim.image.beam["mu_1"] = -0.0
    eye.look()
    assert set(eye.off) == {"couch.setpoint", "beam.mu_1"}


def test_two_orders_of_naming_the_links_are_one_run() -> None:
    there, back = dict.fromkeys(("couch", "gantry"), "loopback:"), dict.fromkeys(("gantry", "couch"), "loopback:")
    a, b = run(order(**there)), run(order(**back))
    assert [port.unit.name for port in ports(a)] == [port.unit.name for port in ports(b)] == ["gantry", "couch"]
    assert a.finish() == b.finish()


def test_a_device_that_the_machine_has_not_is_refused_by_name() -> None:
    from linac_ctl.errors import LinkError

    small = replace(order(), machine=machine("bench_small"), links={"kv_arms": parse_url("loopback:")})
    with pytest.raises(LinkError, match="this machine has no kv_arms"):
        run(small)
