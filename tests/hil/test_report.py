"""The report can be handed on: one page that needs nothing else, and the same as JSON."""

import json
import re

from linac_ctl.hil.bench import Options
from linac_ctl.hil.client import Client
from linac_ctl.hil.kit import CHECKS, chosen, examine, meet
from linac_ctl.hil.report import CheckReport, data, page, write
from tests.hil.bench_device import Device, VirtualLine
from tests.hil.lies import AnswersJunk


def report(device: Device, *names: str) -> CheckReport:
    line = VirtualLine(device)
    bench = meet(Client(line, line.now_us), Options(motion=True, port="/dev/bench"))
    return CheckReport(bench.told, examine(bench, chosen(names)), "/dev/bench", True, "2000-01-01 00:00:00")


def test_the_page_shows_every_check_with_its_clause_and_needs_nothing_from_outside():
    html = page(report(Device()))
    assert all(f'id="{check.name}"' in html for check in CHECKS if check.name != "arming")  # which has nothing to look at
    assert all(check.clause in html for check in CHECKS if "&" not in check.clause)
    assert "PASS" in html and "FAIL" not in html
    assert not re.search(r'(src|href)="(?!#)', html) and "<script" not in html and "@import" not in html


def test_the_page_has_the_histogram_of_round_trips():
    assert "Round trips of SV</title>" in page(report(Device(), "timing"))


def test_a_failure_says_what_was_sent_and_what_came():
    html = page(report(AnswersJunk(), "junk"))
    assert "FAIL" in html and "NOT TRUE" in html
    assert "&gt;01 HI*2CC3" in html and "CRC 2CC3 instead of 2CC2" in html and "ER" in html


def test_what_a_device_says_cannot_become_markup():
    class Scripts(Device):
        def do_cn(self):
            return "<script>alert(1)</script>"

    assert "<script" not in page(report(Scripts(), "junk"))


def test_json_holds_the_same_as_the_page():
    told = data(report(Device(), "handshake", "limits"))
    assert told["passed"] and [finding["name"] for finding in told["findings"]] == ["handshake", "limits"]
    assert told["device"]["hello"]["unit"] == "carriages"
    assert all(statement["true"] for finding in told["findings"] for statement in finding["statements"])
    assert told["findings"][0]["traffic"][0]["text"].startswith(">")


def test_files_are_written_where_asked(tmp_path):
    html, plain = write(report(Device(), "handshake"), tmp_path / "a" / "b")
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(plain.read_text(encoding="utf-8"))["outcome"] == "1 of 1 checks passed, 0 failed, 0 left out"


def test_nothing_looked_at_is_no_pass():
    assert not report(Device(), "arming").passed
