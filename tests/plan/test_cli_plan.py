"""`linac-ctl plan` as a person or a script meets it."""

import json

import pytest
from click.testing import CliRunner
from PIL import Image

from linac_ctl.cli.main import main
from linac_ctl.cli.plan import command


@pytest.fixture
def run(capsys):
    def call(*words):
        code = main(["plan", *map(str, words)])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


@pytest.fixture
def box(run, tmp_path):
    path = tmp_path / "box.dcm"
    assert run("make", "box_3dcrt", "--out", path)[0] == 0
    return path


def test_make_show_and_check_follow_each_other(run, box):
    code, text, _ = run("show", box)
    assert code == 0
    for part in ("BOX_3DCRT", "L LAT", "static", "6X", "65.00", "60 pairs", "SIM-PELVIS"):
        assert part in text
    code, text, _ = run("check", box, "--machine", "c_arm_m120")
    assert code == 0 and "deliverable on c_arm_m120" in text and "warning: plan: (300E,0002) ApprovalStatus" in text


def test_check_ends_with_3_and_every_reason(run, box):
    code, text, _ = run("check", box, "--machine", "c_arm_hd120")
    assert code == 3
    assert text.count("LeafPositionBoundaries") == 4 and "cannot be delivered: 4 errors on c_arm_hd120" in text
    code, text, _ = run("check", box, "--machine", "c_arm_hd120", "--json")
    answer = json.loads(text)
    assert code == 3 and answer["deliverable"] is False
    finding = next(f for f in answer["findings"] if f["severity"] == "error")
    assert finding["beam"] == 1 and finding["tag"] == "(300A,00BE) LeafPositionBoundaries"


def test_show_as_json_is_one_object(run, box):
    code, text, _ = run("show", box, "--json")
    answer = json.loads(text)
    assert code == 0 and answer["fraction_groups"] == [
        {"number": 1, "fractions": 25, "beams": [1, 2, 3, 4], "mu": [65.0] * 4}
    ]
    assert answer["beams"][1]["gantry_deg"] == [90.0, 90.0] and answer["beams"][1]["jaws_mm"]["Y1"] == [-40.0, -40.0]


def test_what_is_no_plan_ends_with_3_and_one_error(run, tmp_path):
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(b"nothing of the kind")
    for words in (("show", bad), ("check", bad, "--machine", "c_arm_m120")):
        code, _, err = run(*words)
        assert code == 3 and "bad.dcm: not a DICOM file" in err
    code, text, _ = run("show", bad, "--json")
    assert code == 3 and json.loads(text)["error"]["exit_code"] == 3


def test_make_for_a_machine_takes_its_mlc(run, tmp_path):
    path = tmp_path / "p.dcm"
    code, text, _ = run("make", "palliative", "--out", path, "--machine", "c_arm_agility160", "--json")
    assert code == 0 and json.loads(text)["mlc"] == "agility_160"
    assert run("check", path, "--machine", "c_arm_agility160")[0] == 0
    code, _, err = run("make", "palliative", "--out", path, "--machine", "bench_one_axis")
    assert code == 3 and "has no MLC" in err


def test_make_names_its_kinds_and_refuses_others(run, tmp_path):
    code, text, _ = run("make", "list")
    assert code == 0 and "spine_sbrt" in text and "hd_120" in text
    code, _, err = run("make", "spine", "--out", tmp_path / "p.dcm")
    assert code == 3 and "there are spine_sbrt" in err
    assert run("make", "palliative")[0] == 2
    code, _, err = run("make", "palliative", "--out", tmp_path / "no" / "p.dcm")
    assert code == 3 and "cannot be written: No such file" in err


def test_the_picture_shows_an_open_field_between_leaves_and_jaws(run, box, tmp_path):
    picture = tmp_path / "p.png"
    code, text, _ = run("show", box, "--picture", picture)
    assert code == 0 and str(picture) in text
    with Image.open(picture) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}
        assert image.size[0] > 700 and image.size[1] > 1200
    assert {(255, 236, 170), (120, 150, 190), (70, 70, 70), (176, 0, 32)} <= colours  # field, leaves, jaws, the warning


def test_a_picture_that_cannot_be_written_is_refused(run, box, tmp_path):
    code, _, err = run("show", box, "--picture", tmp_path / "no" / "p.png")
    assert code == 3 and "the picture cannot be written" in err


def test_help_is_there_without_reading_anything():
    done = CliRunner().invoke(command, ["--help"])
    assert done.exit_code == 0 and "check" in done.output and "make" in done.output and "show" in done.output
