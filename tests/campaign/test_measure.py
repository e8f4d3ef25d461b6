"""Times, doses and reactions read off hand-made traces."""

from dataclasses import dataclass

import numpy as np
import pytest

from device_models.interface.image import SafetyOpen
from device_models.referee.columns import ROW, Flag
from linac_ctl.campaign.measure import Acted, measure
from linac_ctl.campaign.notice import Told, strongest
from linac_ctl.campaign.track import Track
from linac_ctl.campaign.trips import before_faults, false_trip, trip_to_permit_ms, visited
from linac_ctl.control.phases import Phase, Reaction

ALL = int(Flag.PERMIT | Flag.CHANNEL | Flag.CHAIN | Flag.DRIVES | Flag.HV_ON)


@dataclass(frozen=True)
class Trip:
    id: str
    cycle: int
    stop: str = "hold"
    name: str = ""


def trace(n=100, beam=(0, 100), mu_per_cycle=0.1):
    """Beam from the first to before the second cycle, drive power all the time."""
    rows = np.zeros(n, ROW)
    rows["cycle"], rows["bits"], rows["enable"], rows["phase"] = np.arange(n), ALL, 1, int(Phase.BEAM)
    rows["pulses"][slice(*beam)] = 3
    rows["total_mu"] = np.cumsum(rows["pulses"] > 0) * mu_per_cycle
    rows["rate_mu_per_s"] = 10.0
    rows["gantry_deg"] = 0.05 * np.arange(n)
    return rows


def stopped(trip, permit_low, beam_off, reaction=Reaction.BEAM_HOLD):
    rows = trace(beam=(0, beam_off))
    rows["reactions"][trip:] = int(reaction)
    rows["bits"][permit_low:] &= ~int(Flag.PERMIT)
    return Track(rows)


def of(track, history, **changes):
    given = {"effective": 20, "cleared": None, "expected": ("MLC_POS",), "refused": False, "provoked": (), "target_mm": None,
             "declined": None, "limit": 0} | changes
    told = Told(history, given["refused"], given["provoked"], given["target_mm"])
    return measure(track, told, Acted(given["effective"], given["cleared"], given["expected"], declined=given["declined"],
                                      limit=given["limit"]))


def test_times_and_dose_count_from_the_effective_cycle():
    m = of(stopped(25, 26, 27), [Trip("MLC_POS", 25)])
    assert (m.detection_ms, m.reaction_ms) == (50.0, 70.0)
    assert m.mu_after_eff == pytest.approx(0.7)
    assert "beam_hold" in m.reactions and strongest(m.reactions) == "beam_hold"


@pytest.mark.parametrize("limit, done", [(0, False), (29, False), (31, True)])
def test_what_is_done_while_there_is_time_counts_whoever_tripped_first(limit, done):
    trips = [Trip("LINK_LOST", 25), Trip("RATE_PLAUS", 50, "terminate")]
    assert ("beam_off" in of(stopped(25, 26, 27), trips, limit=limit).reactions) is done


def test_what_tripped_before_is_not_its_doing():
    assert of(stopped(25, 26, 27), [Trip("MLC_POS", 19), Trip("DOOR", 30)]).noticed.name == "DOOR"


def test_an_inhibit_counts_only_where_it_was_expected():
    history = [Trip("POS_UNVERIFIED", 22, "inhibit"), Trip("MLC_POS", 40, "inhibit")]
    m = of(stopped(40, 60, 60, Reaction.PREVENT_START), history)
    assert m.noticed.name == "MLC_POS" and strongest(m.reactions) == "prevent_start"


def test_the_safety_channel_notices_too_and_takes_the_beam_away():
    rows = trace(beam=(0, 27))
    rows["open"][25:] = int(SafetyOpen.HEARTBEAT)
    rows["bits"][26:] &= ~int(Flag.CHANNEL)
    m = of(Track(rows), [])
    assert m.noticed.name == "CHANNEL_HEARTBEAT" and m.detection_ms == 50.0
    assert {"beam_off", "beam_hold", "prevent_start"} <= m.reactions and "motion_stop" not in m.reactions


def test_a_door_that_opens_when_the_channel_has_given_nothing_tells_nothing():
    rows = trace(beam=(0, 30))
    rows["bits"][40:] &= ~int(Flag.PERMIT)
    rows["open"][60:] = int(SafetyOpen.DOOR)
    assert of(Track(rows), []).noticed is None


def test_silence_of_the_controller_is_noticed_without_a_permit_too_but_not_in_a_self_test():
    rows = trace(beam=(0, 0))
    rows["bits"] &= ~int(Flag.PERMIT)
    rows["open"][60:] = int(SafetyOpen.HEARTBEAT)
    assert of(Track(rows), []).noticed.name == "CHANNEL_HEARTBEAT"
    rows["bits"][55:] |= int(Flag.SELFTEST)
    assert of(Track(rows), []).noticed is None


def test_an_open_chain_stops_beam_and_motion():
    rows = trace(beam=(0, 22))
    rows["bits"][21:] &= ~int(Flag.CHAIN)
    assert {"beam_off", "motion_stop"} <= of(Track(rows), [Trip("ESTOP", 21, "estop")]).reactions


def door_opens(at=25):
    """In the middle of the beam; the channel sees it first."""
    rows = trace(beam=(0, at + 2))
    rows["open"][at:] = int(SafetyOpen.DOOR)
    rows["bits"][at + 1:] &= ~int(Flag.CHANNEL)
    return Track(rows), [Trip("DOOR_CHAIN", at, "interrupt", "DOOR"), Trip("DOOR", at, "interrupt", "DOOR")]


def test_a_door_that_the_sessions_own_people_open_is_nobodys_notice_of_a_fault():
    track, history = door_opens()
    assert of(track, history).noticed is not None
    assert of(track, history, provoked=("open_door", "late cycles")).noticed is None
    assert of(track, [*history, Trip("MLC_POS", 40)], provoked=("open_door",)).noticed.name == "MLC_POS"


@pytest.mark.parametrize("provoked", [(), ("open_door",)])
def test_a_door_that_is_the_fault_is_noticed_whoever_opens_another(provoked):
    track, history = door_opens()
    assert of(track, history, provoked=provoked, expected=("DOOR",)).detection_ms == 50.0


@pytest.mark.parametrize("there, alone_ms", [(slice(0, 100), 0.0), (slice(0, 22), 30.0), (slice(0, 20), 50.0), (slice(0, 0), 50.0)])
def test_time_without_a_controller_counts_until_somebody_notices(there, alone_ms):
    rows = trace()
    rows["bits"][there] |= int(Flag.ALIVE)
    assert of(Track(rows), [Trip("MLC_POS", 25)]).alone_ms == alone_ms


def test_if_nobody_notices_all_dose_to_the_end_counts():
    m = of(Track(trace()), [])
    assert m.noticed is None and m.detection_ms is None and m.reaction_ms is None and not m.reactions
    assert m.mu_after_eff == pytest.approx(8.0) and m.beam_cycles == 80


def test_a_fault_is_there_until_it_is_cleared():
    m = of(Track(trace(beam=(0, 50))), [], cleared=30)
    assert (m.beam_cycles, m.motion_cycles) == (10, 10)


@pytest.mark.parametrize("cycle, gone", [(38, False), (39, True), (30, False)])
def test_a_trip_that_comes_when_the_fault_has_gone_is_known_as_one(cycle, gone):
    assert of(Track(trace()), [Trip("MLC_POS", cycle)], cleared=30).gone is gone
    assert not of(Track(trace()), [Trip("MLC_POS", cycle)]).gone


def test_a_refusal_without_beam_is_a_reaction():
    m = of(Track(trace(beam=(0, 0))), [], refused=True)
    assert {"prevent_start", "prevent_motion"} <= m.reactions and m.worst_miss_mm is None


@pytest.mark.parametrize(("moves", "history", "done"), [
    (False, [], {"prevent_start", "prevent_motion", "beam_hold", "beam_off", "motion_stop"}),
    (True, [], {"prevent_start", "prevent_motion", "beam_hold", "beam_off"}),
    (False, [Trip("MLC_POS", 25)], {"prevent_start", "prevent_motion"}),  # somebody noticed: what was done counts
])
def test_a_session_that_is_over_before_its_beam_is_stopped(moves, history, done):
    rows = trace(beam=(0, 0))
    rows["gantry_deg"] = np.arange(len(rows)) * (0.1 if moves else 0.0)
    assert of(Track(rows), history, refused=True).reactions >= done
    assert not of(Track(rows), history, refused=True).reactions & ({"beam_off", "motion_stop"} - done)


def test_a_refusal_after_beam_is_none():
    assert not of(Track(trace()), [], refused=True).reactions


def test_a_miss_counts_while_there_is_beam_and_is_weighted_with_dose():
    rows = trace(beam=(0, 60))
    rows["couch"][40:, 0] = 2.0
    m = of(Track(rows), [])
    assert m.worst_miss_mm == pytest.approx(2.0) and m.weighted_miss_mm == pytest.approx(1.0, abs=0.01)


def test_travel_after_stop_counts_from_the_loss_of_power():
    track = stopped(25, 26, 27, Reaction.MOTION_STOP)
    track.rows["enable"][28:] = 0
    track.rows["couch"][:, 1] = np.minimum(np.arange(100.0), 31.0)
    assert of(track, [Trip("COUCH_SPD", 25, "interrupt")]).travel_after_stop_mm == pytest.approx(3.0)


def test_drive_power_that_the_safety_channel_keeps_back_is_a_motion_stop_whatever_is_asked_for():
    track = stopped(25, 26, 27)
    track.rows["couch"][:, 1] = np.minimum(np.arange(100.0), 32.0)
    assert "motion_stop" not in of(track, [Trip("MLC_POS", 25)]).reactions
    track.rows["bits"][29:] &= ~int(Flag.DRIVES)
    m = of(track, [Trip("MLC_POS", 25)])
    assert {"motion_stop", "prevent_motion"} <= m.reactions and m.travel_after_stop_mm == pytest.approx(3.0)


def test_a_short_gap_between_pulses_is_no_stop():
    rows = trace(beam=(0, 40))
    rows["pulses"][26:29] = 0
    assert of(Track(rows), [Trip("MLC_POS", 25)]).reaction_ms == 200.0


def test_from_trip_to_permit_is_the_worst_of_all_that_found_it_given():
    track = stopped(25, 27, 28)
    history = [Trip("A", 25), Trip("B", 26), Trip("C", 40), Trip("D", 20, "inhibit")]
    assert trip_to_permit_ms(track, history) == 20.0
    assert trip_to_permit_ms(track, [Trip("C", 40)]) is None


@pytest.mark.parametrize("gone", [Flag.CHANNEL, Flag.CHAIN, Flag.HV_ON])
def test_without_any_of_what_a_pulse_needs_a_permit_is_none(gone):
    track = Track(trace())
    track.rows["bits"][27:] &= ~int(gone)
    assert trip_to_permit_ms(track, [Trip("A", 25)]) == 20.0


def test_an_old_permit_is_none_any_more():
    track = Track(trace())
    track.rows["bits"][26:] |= int(Flag.OLD)
    assert trip_to_permit_ms(track, [Trip("A", 25)]) == 10.0


def test_a_permit_that_never_falls_is_not_overlooked():
    assert trip_to_permit_ms(Track(trace()), [Trip("A", 25)]) == 750.0


def test_states_and_interlocks_that_were_reached():
    assert visited(Track(trace()), [Trip("B", 5), Trip("A", 5), Trip("B", 9)]) == ("beam:A", "beam:B")


@dataclass(frozen=True)
class Event:
    who: str


def test_a_hold_is_no_false_trip_but_an_interrupt_is():
    history = [Trip("HOLD", 5), Trip("GANTRY_POS", 9, "interrupt"), Trip("DOOR", 30, "terminate")]
    assert false_trip(history) == "GANTRY_POS" and false_trip(history[:1]) == ""


def test_what_came_before_a_fault_goes_by_the_record_and_not_by_the_cycle_count():
    history = [Trip("A", 2**40), Trip("B", 3)]
    assert before_faults([Event("interlock"), Event("fault"), Event("interlock")], history) == history[:1]
    assert before_faults([Event("sequencer"), Event("interlock"), Event("interlock")], history) == history
    assert before_faults([Event("fault"), Event("interlock"), Event("interlock")], history) == []


def test_motion_while_a_fault_is_there_is_that_of_the_whole_run_between_two_cycles():
    track = Track(trace())
    track.rows["gantry_deg"][40:] = track.rows["gantry_deg"][40]
    for first, last in ((0, 100), (1, 100), (20, 60), (40, 41), (41, 60)):
        assert track.moving(first, last).tolist() == track.moving()[first:last].tolist()
    assert track.moving().sum() == 40


@pytest.mark.parametrize("effective, cleared", [(20, 20), (30, 20), (100, 100)])
def test_a_fault_that_is_gone_before_it_shows_has_seen_no_motion_and_no_beam(effective, cleared):
    m = of(Track(trace()), [], effective=effective, cleared=cleared)
    assert (m.motion_cycles, m.beam_cycles) == (0, 0)


def test_a_no_to_what_somebody_pressed_is_notice_and_reaction():
    m = of(Track(trace()), [Trip("MLC_POS", 60)], declined=30)
    assert (m.noticed.name, m.detection_ms) == ("REFUSED", 100.0) and "prevent_start" in m.reactions
    assert of(Track(trace()), [Trip("MLC_POS", 25)], declined=30).noticed.name == "MLC_POS"


@pytest.mark.parametrize("target_mm, worst", [(None, 0.0), (0.3, 0.3), (7.0, 7.0)])
def test_the_worst_miss_is_that_of_the_target_where_it_is_known(target_mm, worst):
    m = of(Track(trace()), [], target_mm=target_mm)
    assert m.worst_miss_mm == worst and m.target_mm == target_mm


def test_without_beam_there_is_no_miss_wherever_the_target_is():
    assert of(Track(trace(beam=(0, 0))), [], target_mm=7.0).worst_miss_mm is None
