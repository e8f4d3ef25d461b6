"""What a watcher believes: news, history, staleness; and that nobody can make it believe, hold or raise anything else."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from linac_ctl.cli.monitor_view import picture
from linac_ctl.telemetry.address import parse
from linac_ctl.telemetry.view import LONGEST, MOST_MACHINES, MOST_SUBSYSTEMS, Clock, View
from linac_ctl.telemetry.watch import Watcher


def told(view: View, rest: str, now_s: float = 0.0, machine: str = "m", **data: object) -> None:
    view.take(f"linac/v1/{machine}/{rest}", json.dumps(data).encode(), now_s)


@pytest.fixture
def view() -> View:
    """A machine that is online, with a couch, at time 100 of ours and 5 of its own."""
    it = View()
    told(it, "$status", status="online", session="s1", period_s=0.1)
    told(it, "$meta", subsystems={"couch": {"telemetry": {}, "axes": [{"name": "lateral", "unit": "mm"}]}})
    told(it, "couch/state", session="s1", state="idle")
    told(it, "couch/telemetry", 100.0, session="s1", m=5_000_000_000, setpoint=[1.0], readback=[1.5])
    return it


def test_numbers_are_stale_after_two_periods_and_not_before(view: View) -> None:
    machine = view.machines["m"]
    assert not machine.stale("couch", 100.19) and machine.stale("couch", 100.21)
    assert machine.age_s("couch", 100.3) == pytest.approx(0.3)
    assert machine.stale("gantry", 100.0) and machine.age_s("gantry", 100.0) is None


def test_age_counts_from_the_reading_and_not_from_its_arrival() -> None:
    clock = Clock()
    clock.hear(5.0, 100.0)
    clock.hear(5.1, 102.1)  # two seconds on its way
    assert clock.age_s(102.1) == pytest.approx(2.0, abs=0.01)


def test_what_a_broker_kept_of_an_earlier_run_is_not_shown_as_of_this_one(view: View) -> None:
    machine = view.machines["m"]
    assert machine.current("couch") and machine.telemetry
    told(view, "$status", status="online", session="s2", period_s=0.1)
    assert not machine.current("couch") and not machine.telemetry and machine.stale("couch", 100.0)


def test_without_online_everything_is_history(view: View) -> None:
    told(view, "$status", status="offline", why="connection lost", session="s1", period_s=0.1)
    one = view.snapshot(100.0)["machines"]["m"]
    assert one["online"] is False and one["stale"] is True and one["status"]["why"] == "connection lost"


def test_one_look_waits_until_every_subsystem_has_told_its_numbers(view: View) -> None:
    assert view.complete() and not View().complete()
    told(view, "$meta", subsystems={"couch": {"telemetry": {}}, "beam": {"telemetry": {}}})
    assert not view.complete()
    told(view, "beam/telemetry", 100.0, mu_1=1.0)
    assert view.complete()


def test_a_snapshot_is_json(view: View) -> None:
    one = json.loads(json.dumps(view.snapshot(100.1)))["machines"]["m"]
    assert one["subsystems"]["couch"] == {
        "state": {"session": "s1", "state": "idle"}, "age_s": 0.1, "axes": [{"name": "lateral", "unit": "mm"}],
        "telemetry": {"session": "s1", "m": 5_000_000_000, "setpoint": [1.0], "readback": [1.5]}}
    assert one["stale"] is False


@pytest.mark.parametrize("payload", [
    b"", b"null", b"[]", b"17", b"\xff\xfe", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"{}" + b" " * LONGEST, b"NaN"])
def test_what_is_no_object_is_counted_and_left_out(view: View, payload: bytes) -> None:
    view.take("linac/v1/m/couch/telemetry", payload, 0.0)
    assert view.ignored == 1 and view.machines["m"].telemetry["couch"]["readback"] == [1.5]


HOSTILE = [None, True, -1, 1e400, "x", [], {}, [None], [[]], {"active": 3}, "[red]\x1b[2J", 10**400]
NAMES = ("status", "session", "period_s", "subsystems", "setpoint", "readback", "m", "t", "active", "open", "mu_1", "mu_end",
         "rate_mu_per_s", "t_s", "who", "what", "why", "step", "phase", "dropped_events", "text", "stop", "permit", "axes", "unit")
RESTS = ("$status", "$meta", "$stats", "event", "interlock", "couch/telemetry", "couch/state", "beam/state", "beam/telemetry",
         "interlocks/state", "session/state", "safety/state")


def drawn(view: View) -> str:
    """The picture, and the snapshot for scripts, as they come out."""
    watcher = Watcher(parse("mqtt://h", {}))
    watcher.view = view
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(picture(watcher, 101.0))
    json.dumps(view.snapshot(101.0), allow_nan=False)
    return console.export_text()


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("rest", RESTS)
def test_no_value_anywhere_makes_the_picture_raise_or_rules_the_terminal(view: View, rest: str, value: object) -> None:
    told(view, rest, 101.0, **dict.fromkeys(NAMES, value))
    told(view, "couch/telemetry", 101.0, session="s1", m=value, setpoint=value, readback=[value])
    told(view, "interlocks/state", 101.0, session="s1", active=[value, {"text": value}])
    assert "\x1b[2J" not in drawn(view)


def test_a_broker_full_of_names_fills_no_memory() -> None:
    view = View()
    for i in range(10 * MOST_MACHINES):
        told(view, "couch/state", machine=f"m{i}")
    for i in range(10 * MOST_SUBSYSTEMS):
        told(view, f"s{i}/telemetry", machine="m0", m=i)
    assert len(view.machines) == MOST_MACHINES and len(view.machines["m0"].telemetry) <= MOST_SUBSYSTEMS


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner), max_leaves=12)


@given(st.lists(st.tuples(st.sampled_from(RESTS), st.dictionaries(st.sampled_from(NAMES), JSON)), max_size=6))
@settings(deadline=None, max_examples=60)
def test_no_message_of_any_shape_makes_it_raise(messages: list[tuple[str, dict[str, object]]]) -> None:
    it = View()
    told(it, "$status", status="online", session="s1", period_s=0.1)
    for rest, data in messages:
        told(it, rest, 101.0, **{"session": "s1", **data})
    drawn(it)
