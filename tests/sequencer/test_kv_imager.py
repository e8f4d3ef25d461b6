"""The kV imager by itself: its table, its arms, scans from both ends, pairs, and what it does not do."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import numpy as np
import pytest
from transitions import MachineError

from linac_ctl.app import Simulation
from linac_ctl.control.phases import Phase
from linac_ctl.control.signals import Guard
from linac_ctl.errors import RefusedError
from linac_ctl.subsystems.kv_frames import Technique
from linac_ctl.subsystems.kv_imager import KvImager, KvState
from tests.sequencer.guided import guided, room

SHOT = Technique(125.0, 40.0, 20.0, 32)


def done(verb: Callable[[Simulation, KvImager], Awaitable[None]], held: bool = True) -> Simulation:
    """A machine with the door closed and the switch held, and the verb on it."""
    sim = Simulation(guided(), prepared=room())
    sim.linac.guard(Guard.NOT_ABORTED, True)
    sim.engine.power_up()
    for act in ("press_search", "close_door", "key_on", *(["hold_exposure"] if held else [])):
        sim.staff.hands.do(act)

    async def whole() -> None:
        await asyncio.sleep(0.1)
        await verb(sim, sim.suite.imaging.kv)

    sim.loop.run_until_complete(sim.loop.create_task(whole()))
    return sim


def test_a_scan_gives_all_frames_at_equal_steps_of_the_readback_at_full_speed() -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        await kv.to_imaging_position()
        frames = await kv.cbct(-20.0, 20.0, 41, SHOT)
        angles, times = np.array([f.gantry_deg for f in frames]), np.array([f.time_s for f in frames])
        assert np.abs(angles - np.linspace(-20.0, 20.0, 41)).max() < 0.08  # a cycle is 0.06 deg
        assert (angles[-1] - angles[0]) / (times[-1] - times[0]) == pytest.approx(6.0, abs=0.02)
        assert all(f.source_angle_deg == f.gantry_deg + 90.0 for f in frames)
        assert kv.state is KvState.READY

    done(verb)


def test_the_next_scan_begins_where_the_last_one_ended() -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        await kv.to_imaging_position()
        first, second = await kv.cbct(-20.0, 20.0, 41, SHOT), await kv.cbct(-20.0, 20.0, 41, SHOT)
        assert first[0].gantry_deg < first[-1].gantry_deg and second[0].gantry_deg > second[-1].gantry_deg
        numbers = [f.number for f in first + second]
        assert all(b == a + 1 for a, b in pairwise(numbers))

    done(verb)


def test_a_pair_is_taken_from_both_angles_standing_still() -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        await kv.to_imaging_position()
        frames = await kv.pair((0.0, -90.0), SHOT)
        assert [f.gantry_deg for f in frames] == pytest.approx([0.0, -90.0], abs=0.1)
        assert frames[0].pixels.shape == (48, 64) and frames[0].pixels.max() > 0
        assert (await kv.single(SHOT)).gantry_deg == pytest.approx(-90.0, abs=0.1)

    done(verb)


def test_arms_that_are_not_out_take_no_images() -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        with pytest.raises(RefusedError, match="retracted, not in its imaging position"):
            await kv.single(SHOT)
        await kv.to_imaging_position()
        await kv.retract()
        assert kv.state is KvState.RETRACTED
        with pytest.raises(RefusedError, match="retracted"):
            await kv.pair((0.0, 90.0), SHOT)

    done(verb)


def test_no_exposure_and_no_motion_while_the_treatment_beam_is_on() -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        await kv.to_imaging_position()
        sim.linac.enter(Phase.BEAM)
        with pytest.raises(RefusedError, match="treatment beam is on"):
            await kv.single(SHOT)
        with pytest.raises(RefusedError, match="treatment beam is on"):
            await kv.retract()
        sim.linac.enter(Phase.IDLE)

    done(verb)


@pytest.mark.parametrize("act", ["open_door", "release_exposure", "key_off"])
def test_the_generator_refuses_by_its_own_wires(act: str) -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        await kv.to_imaging_position()
        sim.staff.hands.do(act)
        await asyncio.sleep(0.05)
        with pytest.raises(RefusedError, match="no exposure"):
            await kv.single(SHOT)
        assert kv.state is KvState.FAULTED

    done(verb)


def test_a_technique_that_the_tube_cannot_give_is_refused() -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        await kv.to_imaging_position()
        with pytest.raises(RefusedError, match="200 kV asked"):
            await kv.single(Technique(200.0, 40.0, 20.0, 32))

    done(verb)


def test_a_scan_beyond_the_gantrys_range_is_refused_before_anything_moves() -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        await kv.to_imaging_position()
        before = float(sim.plant.gantry["position"][0])
        with pytest.raises(RefusedError, match="outside"):
            await kv.cbct(-184.0, 184.0, 60, SHOT)
        assert abs(float(sim.plant.gantry["position"][0]) - before) < 0.05

    done(verb)


def test_the_table_allows_no_exposure_from_anywhere_but_ready() -> None:
    async def verb(sim: Simulation, kv: KvImager) -> None:
        with pytest.raises(MachineError):
            kv.trigger("expose")

    done(verb)
