"""Every payload as it will be sent, from frames that were packed and unpacked."""

import json
import struct

import pytest

from linac_ctl.telemetry.frames import EVENT, INTERLOCK, STATE, Stamp, numbers_frame, words_frame
from linac_ctl.telemetry.layout import Field, Layout
from linac_ctl.telemetry.shaping import Shaper

LAYOUT = Layout(
    "m", "s1", "box", "1.0", 0.1, {"couch": (("lateral", "mm"), ("rotation", "deg"))}, (
        Field("couch", "telemetry", "readback", "axis", 2), Field("couch", "state", "state", values=("idle", "moving")),
        Field("couch", "state", "powered", "switch"), Field("beam", "telemetry", "mu_1", "MU"),
        Field("beam", "telemetry", "segment", "count")))


def shaped(shaper, *numbers, seq=1):
    """topic -> (payload, QoS, retained) of one snapshot."""
    frame = numbers_frame(Stamp(5, 6, 7, seq, 8, 9, 10, 11), struct.pack(f"<{len(numbers)}d", *numbers))
    return {m.topic: (json.loads(m.payload), m.qos, m.retained) for m in shaper.shape(frame)}


def test_a_snapshot_is_one_message_per_subsystem_with_its_stamp():
    out = shaped(Shaper(LAYOUT), 1.23456789, -2.0, 0.0, 1.0, 99.99996, 3.0)
    head = {"t": 5, "w": 6, "m": 7, "seq": 1, "session": "s1"}
    assert out == {
        "linac/v1/m/couch/telemetry": (head | {"readback": [1.2346, -2.0]}, 0, False),
        "linac/v1/m/couch/state": (head | {"state": "idle", "powered": True}, 1, True),
        "linac/v1/m/beam/telemetry": (head | {"mu_1": 100.0, "segment": 3}, 0, False)}


def test_a_state_is_told_again_only_when_it_changed():
    shaper = Shaper(LAYOUT)
    shaped(shaper, 1.0, 2.0, 0.0, 1.0, 0.0, 0.0)
    assert "linac/v1/m/couch/state" not in shaped(shaper, 9.0, 9.0, 0.0, 1.0, 9.0, 9.0, seq=2)
    assert shaped(shaper, 9.0, 9.0, 1.0, 1.0, 9.0, 9.0, seq=3)["linac/v1/m/couch/state"][0]["state"] == "moving"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_null_and_the_payload_stays_json(bad):
    out = shaped(Shaper(LAYOUT), bad, 1.0, bad, bad, bad, bad)
    assert out["linac/v1/m/couch/telemetry"][0]["readback"] == [None, 1.0]
    assert out["linac/v1/m/couch/state"][0]["state"] is None
    assert out["linac/v1/m/beam/telemetry"][0]["segment"] is None


def test_a_state_that_has_no_name_is_null():
    assert shaped(Shaper(LAYOUT), 1.0, 1.0, 7.0, 1.0, 0.0, 0.0)["linac/v1/m/couch/state"][0]["state"] is None


def test_words_go_where_they_belong():
    shaper = Shaper(LAYOUT)
    state = words_frame(STATE, {"subsystem": "session", "data": {"step": "Treat"}})
    frames = (state, words_frame(EVENT, {"seq": 4, "who": "nurse"}),
              words_frame(INTERLOCK, {"change": "tripped"}), words_frame(INTERLOCK, {"change": "cleared"}))
    found = [message for frame in frames for message in shaper.shape(frame)]
    assert [(m.topic, m.qos, m.retained, json.loads(m.payload)) for m in found] == [
        ("linac/v1/m/session/state", 1, True, {"step": "Treat"}), ("linac/v1/m/event", 1, False, {"seq": 4, "who": "nurse"}),
        ("linac/v1/m/interlock", 1, False, {"change": "tripped", "seq": 1}),
        ("linac/v1/m/interlock", 1, False, {"change": "cleared", "seq": 2})]


def test_the_last_will_and_the_birth_differ_only_in_what_they_say():
    shaper = Shaper(LAYOUT)
    birth, will = shaper.status("online"), shaper.status("offline", "connection lost")
    assert (birth.topic, birth.qos, birth.retained) == (will.topic, will.qos, will.retained) == ("linac/v1/m/$status", 1, True)
    assert json.loads(will.payload)["session"] == "s1" and json.loads(birth.payload)["period_s"] == 0.1


def test_losses_on_the_way_to_the_publisher_are_published():
    shaper = Shaper(LAYOUT)
    shaped(shaper, 1.0, 2.0, 0.0, 1.0, 0.0, 0.0)
    stats = json.loads(shaper.stats({"published": 3, "dropped_events": 1}).payload)
    assert (stats["lost_snapshots"], stats["lost_words"], stats["overruns"], stats["skipped_cycles"]) == (8, 9, 10, 11)
    assert stats["dropped_events"] == 1


def test_meta_data_name_unit_and_values_of_every_field_and_survive_the_pipe():
    meta = Layout.from_plain(json.loads(json.dumps(LAYOUT.plain()))).meta()
    assert Layout.from_plain(json.loads(json.dumps(LAYOUT.plain()))) == LAYOUT
    assert meta["subsystems"]["couch"]["state"]["state"] == {"values": ["idle", "moving"]}
    assert meta["subsystems"]["couch"]["telemetry"]["readback"] == {"unit": "axis", "list": 2}
    assert meta["subsystems"]["couch"]["axes"][1] == {"name": "rotation", "unit": "deg"} and meta["simulator"] is True
