"""What a test that fails leaves behind and says, and how words that do not exist are refused."""

import json

from linac_ctl.records.result import read_result
from linac_ctl.replay.replay import replay

WAITS_FOR_NOTHING = """
from linac_ctl.testing import at_mu, beam_off

def test_fails(linac):
    linac.until(at_mu(5))
    linac.expect(beam_off, within_ms=30)

def test_passes(linac):
    linac.run_for(1.0)
"""


def test_a_failed_test_says_what_was_there_and_keeps_its_run_folder(pytester, project):
    done = project(WAITS_FOR_NOTHING, "--linac-artefacts", "kept")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines([
        "E*AssertionError: beam off: within 30 ms of *: not so; now, at * s (cycle *): * MU/s, permit 1, channel closed",
        "session     box on c_arm_m120, workflow no_image, *, seed 1", "first-out   nothing has stopped it", "run folder  *",
        "replay      linac-ctl replay *"])
    (folder,) = (pytester.path / "kept").iterdir()
    assert read_result(folder).outcome == "partial" and (folder / "report.html").exists()


def test_folders_of_tests_that_pass_stay_when_asked_for(pytester, project):
    project(WAITS_FOR_NOTHING, "--linac-artefacts", "kept", "--linac-keep", "all", "-k", "passes").assert_outcomes(passed=1)
    (folder,) = (pytester.path / "kept").iterdir()
    assert json.loads((folder / "manifest.json").read_text())["session"] == "box"


FAULTY = """
from linac_ctl.testing import at_mu, beam_off

async def test_fails(linac, inject):
    await linac.until(at_mu(5))
    inject(signal="room.clearance_mm", behaviour="bias", size=-2.0, id="close")  # which no machine minds
    await linac.expect(beam_off, within_ms=50)
"""


def test_a_failed_test_with_a_fault_says_what_became_of_it_and_is_replayed_from_its_folder(pytester, project):
    done = project(FAULTY, "--linac-artefacts", "kept", ini="asyncio_mode = auto")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([
        "fault       close (room.clearance_mm): injected * s, effective * s", "replay      linac-ctl replay *"])
    (folder,) = (pytester.path / "kept").iterdir()
    assert replay(folder).equal and read_result(folder).faults[0].effective_s is not None


MARKS = """
import pytest

pytestmark = pytest.mark.linac(seed=7)

@pytest.mark.linac(session="palliative", without="DOOR")
def test_said(linac):
    assert linac.order.name == "palliative" and linac.order.seed == 7
    assert "DOOR" not in [row.id for row in linac.order.table.rows]

@pytest.mark.linac(sesion="box")
def test_misspelt(linac): ...

@pytest.mark.linac(session="no_such_session")
def test_unknown(linac): ...

@pytest.mark.linac(without="DOR")
def test_no_such_row(linac): ...
"""


def test_marks_add_up_and_wrong_ones_are_refused_in_one_line(project):
    done = project(MARKS, "--strict-markers")
    done.assert_outcomes(passed=1, errors=3)
    done.stdout.fnmatch_lines(["linac: mark linac: sesion: no such word; there are session, *", "linac: *no_such_session*",
                               "linac: mark linac: without 'DOR': no such row of the interlock table; did you mean 'DOOR'[?]"])
