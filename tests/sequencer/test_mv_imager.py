"""The MV imager and the beam that makes its image: counted by itself, under every interlock, and never without a panel."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from transitions import MachineError

from linac_ctl.app import Simulation
from linac_ctl.control.journal import SLOTS
from linac_ctl.control.phases import Phase
from linac_ctl.control.signals import FIRST_GUARD, Guard
from linac_ctl.errors import DeviceError, RefusedError
from linac_ctl.sequencer import approval
from linac_ctl.sequencer.imaging_field import mv_image, open_field
from linac_ctl.sequencer.session import Session
from linac_ctl.sequencer.workflow import build
from linac_ctl.subsystems.beam_states import BeamState
from linac_ctl.subsystems.mv_frames import MvFrame
from linac_ctl.subsystems.mv_imager import MV_TABLE, MvState
from tests.sequencer.guided import BEFORE, guided, protocol, room

RULES = protocol("conventional_mv_kv")
Verb = Callable[[Simulation], Awaitable[None]]


def done(verb: Verb, rules: Any = RULES) -> Simulation:
    """A patient set up, the door closed, a plan loaded; and the verb on it."""
    sim = Simulation(guided(error=(3.0, 0.0, 0.0, 0.0, 0.0, 0.0), rules=rules), prepared=room())
    sim.linac.guard(Guard.NOT_ABORTED, True)
    sim.engine.power_up()

    async def whole() -> None:
        session = Session()
        for step in build([dict(step) for step in BEFORE], "test"):
            session = await step.run(sim.suite, session)
        await verb(sim)

    sim.loop.run_until_complete(sim.loop.create_task(whole()))
    return sim


def given(sim: Simulation) -> float:
    return float(sim.plant.beam["true_total_mu"][0])


async def image(sim: Simulation, gantry_deg: float = 0.0) -> MvFrame:
    imaging = sim.suite.imaging
    return await mv_image(sim.suite, imaging, open_field(sim.suite, imaging, gantry_deg))


def test_three_mu_make_an_image_and_are_counted_by_themselves() -> None:
    async def verb(sim: Simulation) -> None:
        await sim.suite.imaging.mv.to_imaging_position()
        frame = await image(sim, -30.0)
        assert frame.mu == pytest.approx(3.0, abs=0.05) and given(sim) == pytest.approx(3.0, abs=0.05)
        assert frame.gantry_deg == pytest.approx(-30.0, abs=0.1) == frame.source_angle_deg
        assert frame.jaws_mm == pytest.approx((-110.0, 110.0, -110.0, 110.0), abs=0.2)
        assert sim.suite.imaging.imaging_mu == pytest.approx(frame.mu)
        assert not sim.control.journal["started"][:1].any()  # the plan's beam
        assert sim.control.journal["mu_1"][SLOTS - 1] == pytest.approx(frame.mu, abs=0.05)  # a killed run knows of it
        assert sim.true_mu() == {2: pytest.approx(given(sim))}  # beam 1 is the plan's

    done(verb)


def test_everything_is_as_before_after_an_imaging_field() -> None:
    async def verb(sim: Simulation) -> None:
        await sim.suite.imaging.mv.to_imaging_position()
        sim.linac.guard(Guard.REG_QUALITY, True)
        before = sim.control.signals.copy(), float(sim.control.job["token_needed"][0])
        await image(sim)
        for guard in approval.OF_IMAGES:
            assert sim.linac.signal(guard_signal(guard)) == before[0][guard_signal(guard)]
        assert sim.control.job["token_needed"][0] == before[1] == 1.0
        assert sim.linac.beam.state is BeamState.OFF and sim.suite.imaging.mv.state is MvState.READY
        assert int(sim.control.job["beam_number"][0]) == -1 and int(sim.control.job["phase"][0]) == Phase.IDLE

    done(verb)


def guard_signal(guard: Guard) -> Any:
    """Where its answer is kept."""
    return FIRST_GUARD + int(guard)


def test_no_panel_no_beam() -> None:
    async def verb(sim: Simulation) -> None:
        with pytest.raises(RefusedError, match="retracted, not in its imaging position"):
            await image(sim)
        await sim.suite.imaging.mv.to_imaging_position()
        await sim.suite.imaging.mv.retract()
        with pytest.raises(RefusedError, match="retracted"):
            await image(sim)
        assert given(sim) == 0.0

    done(verb)


@pytest.mark.parametrize(("act", "words"), [
    ("open_door", r"self-test did not pass \(door\)"),  # the second channel has its own door contact
    ("key_off", "KEY"), ("press_estop", "ESTOP"),
])
def test_an_imaging_field_is_under_the_interlocks_of_any_beam(act: str, words: str) -> None:
    async def verb(sim: Simulation) -> None:
        await sim.suite.imaging.mv.to_imaging_position()
        sim.staff.hands.do(act)
        with pytest.raises((RefusedError, DeviceError), match=words):
            await image(sim)
        assert given(sim) == 0.0 and sim.control.job["token_needed"][0] == 1.0
        assert sim.linac.signal(guard_signal(Guard.POSITION_APPROVED)) == 0.0

    done(verb)


def test_a_door_that_opens_in_an_imaging_field_ends_it_and_what_was_given_counts() -> None:
    async def verb(sim: Simulation) -> None:
        mv = sim.suite.imaging.mv
        await mv.to_imaging_position()
        sim.loop.observe(1, lambda: sim.staff.hands.do("open_door") if given(sim) > 1.0 else None)
        with pytest.raises(DeviceError, match="DOOR"):
            await image(sim)
        assert 1.0 < given(sim) < 2.0 and mv.state is MvState.FAULTED
        assert sim.suite.imaging.imaging_mu == pytest.approx(given(sim), abs=0.15)
        assert sim.control.job["token_needed"][0] == 1.0

    done(verb)


def test_beyond_the_protocols_imaging_dose_there_is_no_image() -> None:
    async def verb(sim: Simulation) -> None:
        await sim.suite.imaging.mv.to_imaging_position()
        await image(sim)
        await image(sim)
        with pytest.raises(RefusedError, match=r"3 MU on top of .* > 7 MU, the protocol's limit of imaging dose"):
            await image(sim)
        assert given(sim) == pytest.approx(6.0, abs=0.1)

    done(verb, protocol("conventional_mv_kv", mv={"limit_mu": 7.0}))


def test_a_protocol_without_mv_images_and_a_machine_without_a_panel_take_none() -> None:
    async def without_rules(sim: Simulation) -> None:
        with pytest.raises(RefusedError, match="no MV images; add `mv`"):
            await image(sim)

    async def without_panel(sim: Simulation) -> None:
        sim.suite.imaging.mv_imager = None
        with pytest.raises(RefusedError, match="has no MV imager"):
            await image(sim)

    done(without_rules, protocol("conventional_pair"))
    done(without_panel)


def test_the_picture_shows_the_jaws_where_they_are_and_the_frame_says_where_they_claim_to_be() -> None:
    async def verb(sim: Simulation) -> None:
        await sim.suite.imaging.mv.to_imaging_position()
        straight = await image(sim)
        sim.plant.jaws["position"][1] += 4.0  # X2, between two cycles: readback and setpoint know nothing
        sim.suite.imaging.mv.portal.start("6X", 4)
        sim.plant.beam["true_total_mu"][0] += 3.0
        pushed = sim.suite.imaging.mv.portal.stop(3.0)
        assert pushed.jaws_mm == pytest.approx(straight.jaws_mm, abs=0.05)
        assert edge(pushed) - edge(straight) == pytest.approx(4.0, abs=0.6)

    done(verb)


def edge(frame: MvFrame) -> float:
    """mm at the isocentre of the right edge in the middle row."""
    row = frame.pixels[frame.pixels.shape[0] // 2].astype(float)
    lit = np.flatnonzero(row > 0.25 * np.quantile(row, 0.9))
    return (lit[-1] - (len(row) - 1) / 2) * frame.pitch_mm / 1.5


def test_dose_that_the_chamber_did_not_count_makes_the_picture_brighter_not_the_numbers() -> None:
    async def verb(sim: Simulation) -> None:
        await sim.suite.imaging.mv.to_imaging_position()
        portal = sim.suite.imaging.mv.portal
        frames = []
        for true_mu in (3.0, 6.0):
            portal.start("6X", 8)
            sim.plant.beam["true_total_mu"][0] += true_mu
            frames.append(portal.stop(3.0))
        assert frames[0].mu == frames[1].mu == 3.0
        assert frames[1].air_counts == pytest.approx(frames[0].air_counts, rel=0.02)
        assert frames[1].pixels.max() == pytest.approx(2.0 * frames[0].pixels.max(), rel=0.05)

    async def settled(sim: Simulation) -> None:
        await sim.linac.beam.warm("6X")
        await verb(sim)

    done(settled)


def test_without_a_beam_the_panel_has_nothing_to_give() -> None:
    async def verb(sim: Simulation) -> None:
        await sim.suite.imaging.mv.to_imaging_position()
        portal = sim.suite.imaging.mv.portal
        with pytest.raises(RefusedError, match="nothing is being collected"):
            portal.stop(3.0)
        await sim.linac.beam.warm("6X")
        portal.start("6X", 8)
        with pytest.raises(RefusedError, match=r"0\.0 MU were delivered"):
            portal.stop(3.0)

    done(verb)


def test_the_panel_does_not_move_while_a_beam_is_on() -> None:
    async def verb(sim: Simulation) -> None:
        sim.linac.enter(Phase.BEAM)
        with pytest.raises(RefusedError, match="treatment beam is on"):
            await sim.suite.imaging.mv.to_imaging_position()
        assert int(sim.control.job["phase"][0]) == Phase.BEAM
        sim.linac.enter(Phase.IDLE)

    done(verb)


def test_the_table_lets_a_panel_collect_from_ready_only() -> None:
    assert [row[1] for row in MV_TABLE if row[0] == "collect"] == [MvState.READY]

    async def verb(sim: Simulation) -> None:
        with pytest.raises(MachineError):
            sim.suite.imaging.mv.trigger("collect")
        await asyncio.sleep(0)

    done(verb)
