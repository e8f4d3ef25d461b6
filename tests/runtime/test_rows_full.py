"""The row buffer: full means a new one, and never a write past its end."""

import numpy as np
import pytest

import linac_ctl.recorder
from tests.support import Run, order_for, quick, run, small_arc


@pytest.fixture
def order():
    return order_for(quick(), [small_arc(quick(), mode="6X", mu=3.0, points=4)], reaction_s=0.1)


@pytest.mark.parametrize("rows_per_chunk", [1, 2, 3, 100, 4096])
def test_chunk_size_changes_no_row(order, monkeypatch, rows_per_chunk: int) -> None:
    usual = run(order)
    monkeypatch.setattr(linac_ctl.recorder, "ROWS_PER_CHUNK", rows_per_chunk)
    sim = run(order)
    assert np.array_equal(sim.rows().data, usual.rows().data, equal_nan=True)


def test_rows_come_every_second_cycle_without_a_gap(order) -> None:
    cycles = run(order).rows()["cycle"]
    assert (np.diff(cycles) == 2).all() and len(cycles) > 300


def test_a_full_buffer_that_nobody_empties_is_never_written_past_its_end(order) -> None:
    sim = Run(order)
    sim.engine.more_rows = lambda full: full  # the same buffer again and again, as without a folder
    guard = np.zeros((3, len(sim.columns)), np.float32)
    guard[:] = 7.0
    rows = guard[:1]  # room for one row; what follows in memory is ours to look at
    sim.control = sim.control._replace(rows=rows)
    sim.engine.control = sim.engine.control._replace(rows=rows)
    sim.run()
    assert (guard[1:] == 7.0).all()
    assert guard[0, 0] > 100


@pytest.mark.parametrize("wrong", [
    np.zeros((0, 5), np.float32), np.zeros((100, 5), np.float32), np.zeros((100, 92), np.float64),
    np.zeros((100, 184), np.float32)[:, ::2],
], ids=["no room", "too few columns", "another type", "not contiguous"])
def test_a_row_buffer_that_does_not_fit_is_refused_before_the_cycle_sees_it(order, wrong) -> None:
    sim = Run(order)
    assert len(sim.columns) <= 92
    sim.engine.more_rows = lambda full: wrong
    with pytest.raises(ValueError, match="row buffer"):
        sim.engine.empty_rows()


def test_a_full_buffer_takes_no_row_even_if_nobody_listens(order) -> None:
    sim = Run(order)
    sim.engine.power_up()
    sim.control.job["row"] = len(sim.control.rows)
    for _ in range(2):
        sim.engine.advance(1)  # a row is due in one of them: there is no room, so it asks for more
    assert int(sim.control.job["row"][0]) == 0
    before = sim.control.rows.copy()
    for far in (len(before), len(before) + 1000):
        sim.control.job["row"] = far
        sim.engine._block(2)
        assert np.array_equal(sim.control.rows, before, equal_nan=True)
