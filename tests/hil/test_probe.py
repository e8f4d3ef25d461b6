"""What `hil probe` measures is what the line and the device are, and nothing moves."""

import json

import pytest

from linac_ctl.cli.hil_line import url_of
from linac_ctl.cli.main import main
from linac_ctl.errors import LinkUrlError
from linac_ctl.hil.budget import budget
from linac_ctl.hil.client import Client
from linac_ctl.hil.clock_fit import Reading, fit
from linac_ctl.hil.description import Description
from linac_ctl.hil.probe import probe
from linac_ctl.hil.spread import spread
from tests.hil.bench_device import Device, VirtualLine
from tests.hil.served import served


def probed(device: Device, delay_us: int = 200):
    line = VirtualLine(device, delay_us)
    return probe(Client(line, line.now_us), "bench", 0, 50, 3.0, None)


def test_round_trips_are_those_of_the_line():
    assert probed(Device(), 1500).trips.p50_us == 1500


@pytest.mark.parametrize("rate, ppm", [(1.0, 0), (1.005, 5000), (0.98, -20_000)])
def test_a_clock_that_runs_differently_is_measured(rate, ppm):
    found = probed(Device(rate=rate)).clock
    assert found.drift_ppm == pytest.approx(ppm, abs=found.uncertainty_ppm) and found.uncertainty_ppm < 1000


def test_a_clock_with_coarse_steps_is_known_less_well():
    fine = [Reading(i * 25_000.0, i * 25_000.0 + 200, i * 25_000.0) for i in range(100)]
    coarse = [Reading(r.sent_us, r.came_us, r.device_us // 10_000 * 10_000.0) for r in fine]
    ms = [Reading(r.sent_us, r.came_us, r.device_us + i % 2 * 1000) for i, r in enumerate(fine)]
    assert fit(coarse).uncertainty_ppm > 3 * fit(ms).uncertainty_ppm


def test_nothing_moves_and_the_device_is_left_in_terminal_mode():
    device = Device()
    probed(device)
    assert device.state == 0 and not device.power and device.decoder.plain


def test_percentiles_are_durations_that_happened():
    found = spread([float(i) for i in range(1, 101)])
    assert (found.p50_us, found.p99_us, found.max_us) == (50.0, 99.0, 100.0)


def test_the_budget_is_that_of_the_protocol_page():
    items = [{"axis": "0", "name": "g", "unit": "mdeg", "low": "-260000", "high": "260000", "vmax": "1", "amax": "1"}]
    found = budget(Description({"unit": "gantry", "axes": "1"}, items), 0)
    assert found is not None and round(found.rate_hz[115_200]) == 257 and found.enough(57_600) and not found.enough(9600)


def test_a_unit_that_the_page_does_not_know_has_no_budget():
    assert budget(Description({"unit": "laser", "axes": "0"}), 0) is None


def test_a_port_may_be_named_as_it_lies_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ports").mkdir()
    (tmp_path / "ports" / "couch").symlink_to("/dev/null")
    assert url_of("ports/couch", None).path == f"{tmp_path}/ports/couch"
    for name in ("ports/coach", ""):
        with pytest.raises(LinkUrlError):
            url_of(name, None)


def test_the_command_answers_for_people_and_for_programs(tmp_path, capsys):
    with served(Device(), tmp_path / "port") as port:
        assert main(["hil", "probe", str(port), "--count", "20", "--seconds", "0.2"]) == 0
        text = capsys.readouterr().out
        assert main(["hil", "probe", str(port), "--count", "20", "--seconds", "0.2", "--json"]) == 0
    assert "round trip    p50" in text and "115200 baud     201 Hz" in text
    assert json.loads(capsys.readouterr().out)["round_trip"]["count"] == 20
