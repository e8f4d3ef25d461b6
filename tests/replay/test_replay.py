"""A run again, from its folder alone: whole, in part, stopped, resumed, done by hand, killed; and what is refused."""

import json
import shutil
from pathlib import Path

import pytest

from linac_ctl.app import Simulation
from linac_ctl.cli.main import main
from linac_ctl.errors import RecordError, UsageError
from linac_ctl.order import resolve, resume_order
from linac_ctl.outcome import complete_record, create_folder
from linac_ctl.replay.instant import Instant, parse_instant
from linac_ctl.replay.replay import replay

MANIFEST = "manifest.json"


def record(path: Path, session: str = "palliative", *, seed: int = 1, stop_s: float | None = None, resumes: Path | None = None,
           abort_s: float | None = None) -> Path:
    """A run of an order as the command line does it; -> its folder."""
    if resumes is None:
        order, start = resolve(session, workflow="bench", seed=seed, scratch=path.parent), {}
    else:
        order, start = resume_order(resumes)
    folder, order = create_folder(order, path, start.get("resumes", ""), partials=start.get("partials"),
                                  imaged_mu=start.get("imaged_mu", 0.0), stop_after_s=stop_s, started="2026-01-01T00:00:00")
    sim = Simulation(order, folder, partials=start.get("partials"), imaged_mu=start.get("imaged_mu", 0.0))
    if stop_s is not None:
        sim.stop_after(stop_s)
    if abort_s is not None:
        sim.run_for(abort_s)
        sim.abort()
    sim.run()
    complete_record(sim, folder, 0.0, 0.0, report=False)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A run that delivered."""
    return record(tmp_path_factory.mktemp("replay") / "whole")


def test_a_whole_run_has_the_same_rows_events_and_digest_again(whole):
    found = replay(whole)
    assert found.equal and found.divergence is None and found.digest == found.digest_on_record != ""
    assert found.rows > 1000 and found.events > 10


def test_the_folder_alone_is_enough(whole, tmp_path, monkeypatch):
    there = tmp_path / "elsewhere"
    shutil.copytree(whole, there)
    monkeypatch.chdir(tmp_path)
    assert replay(there).equal


def test_up_to_an_instant_it_shows_the_machine_there(whole, capsys):
    assert main(["replay", str(whole), "--until", "mu=20,beam=1", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["equal"] and said["digest"] == "" and 20.0 <= said["instant"]["true_mu"] < 20.5
    assert said["instant"]["phase"] == "beam" and said["instant"]["cycle"] == said["cycles"] < replay(whole).cycle


@pytest.mark.parametrize("stopped", [{"stop_s": 30.0}, {"abort_s": 40.0}], ids=["left as asked", "Ctrl-C"])
def test_a_run_that_was_stopped_stops_again(tmp_path, stopped):
    run = record(tmp_path / "run", **stopped)
    assert json.loads((run / "result.json").read_text())["outcome"] != "delivered"
    found = replay(run)
    assert found.equal, found.divergence


def test_a_run_that_resumes_another_resumes_it_again(tmp_path):
    first = record(tmp_path / "first", stop_s=45.0)
    rest = record(tmp_path / "rest", resumes=first)
    assert json.loads((rest / "result.json").read_text())["beams"][0]["start_mu"] > 0.0
    shutil.rmtree(first)
    assert replay(rest).equal


def test_a_run_that_was_killed_is_compared_as_far_as_it_came(whole, tmp_path):
    killed = tmp_path / "killed"
    shutil.copytree(whole, killed)
    (killed / "result.json").unlink()
    found = replay(killed)
    assert found.equal and found.digest_on_record == ""


def test_another_seed_is_named_by_its_first_difference(whole, tmp_path, capsys):
    other = record(tmp_path / "other", seed=2)
    assert main(["replay", str(whole), "--diff", str(other)]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"DIFFERENT from {other}\n  first at cycle ")
    found = replay(whole, other=other).divergence
    assert found is not None and found.kind == "row" and "column " in found.what and found.one != found.other


def test_a_record_that_was_tampered_with_is_noticed(whole, tmp_path):
    changed = tmp_path / "changed"
    shutil.copytree(whole, changed)
    lines = (changed / "events.jsonl").read_text().splitlines(keepends=True)
    (changed / "events.jsonl").write_text("".join([*lines[:5], lines[5].replace('"why":"', '"why":"not '), *lines[6:]]))
    found = replay(changed)
    assert not found.equal and found.divergence is not None
    assert (found.divergence.kind, found.divergence.what) == ("event", "6")


def test_what_a_test_did_by_hand_is_done_again(new_linac, tmp_path):
    from linac_ctl.testing import at_mu
    from linac_ctl.testing.artefacts import keep
    from linac_ctl.testing.operator import Operator

    linac = new_linac(session="palliative")
    hands = Operator(linac)
    hands.key_off()  # before anything else happens
    linac.run_for(3.0)
    hands.key_on()
    linac.until(at_mu(5.0))
    hands.open_door()
    linac.run_for(20.0)
    keep(linac)
    assert linac.path is not None and linac.first_out == ["DOOR"]
    found = replay(linac.path)
    assert found.equal, found.divergence


def test_other_code_is_refused(whole, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(whole, old)
    manifest = json.loads((old / MANIFEST).read_text())
    (old / MANIFEST).write_text(json.dumps(manifest | {"code_version": "0.1.0+000000000000"}))
    with pytest.raises(RecordError, match=r"made by code 0\.1\.0\+000000000000, this is .*check that out"):
        replay(old)


def test_an_instant_that_never_comes_is_refused(whole):
    with pytest.raises(RecordError, match=r"never comes there; it has .* cycles"):
        replay(whole, Instant(mu=1e6))


@pytest.mark.parametrize("text, instant", [
    ("12.3s", Instant(cycle=1230)), ("cycle=7", Instant(cycle=7)), ("mu=20", Instant(mu=20.0)),
    ("mu=2.5,beam=3", Instant(mu=2.5, beam=3)),
])
def test_instants_have_names(text, instant):
    assert parse_instant(text) == instant


@pytest.mark.parametrize("text", ["", "12.3", "mu=", "mu=1.2.3", "beam=1", "1.2.3s", "cycle=-1", "control_point=3"])
def test_nonsense_is_no_instant(text):
    with pytest.raises(UsageError, match="write it like"):
        parse_instant(text)
