"""`linac-ctl config`."""

import json

import pytest

from linac_ctl.cli.main import main
from linac_ctl.config.loader import available, load
from linac_ctl.config.origin import plain
from linac_ctl.config.yaml_strict import parse


def run(capsys, *words):
    """(exit code, stdout, stderr) of `config WORDS`."""
    code = main(["config", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_list_names_everything_that_can_be_chosen(capsys):
    code, out, _ = run(capsys, "list")
    names = [name for kind in ("machines", "sessions", "workflows", "interlocks") for name in available(kind)]
    assert code == 0 and all(f"  {name} " in out for name in names)


def test_list_as_json_gives_kind_name_description_and_path(capsys):
    _, out, _ = run(capsys, "list", "--json")
    found = {(item["kind"], item["name"]): item for item in json.loads(out)}
    assert found["machine", "c_arm_m120"]["path"].endswith("machines/c_arm_m120.yaml")
    assert all(set(item) == {"kind", "name", "description", "path"} for item in found.values())


def test_a_file_that_cannot_be_read_does_not_hide_the_others(capsys, tmp_path, monkeypatch):
    (tmp_path / "configs" / "sessions").mkdir(parents=True)
    (tmp_path / "configs" / "sessions" / "broken.yaml").write_text("a: [")
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "list")
    assert code == 0 and "broken               cannot be read: configs/sessions/broken.yaml:" in out and "spine_sbrt" in out


def test_what_show_prints_reads_back_as_what_was_loaded(capsys):
    _, out, _ = run(capsys, "show", "c_arm_m120")
    assert plain(parse(out, "shown")) == load("machines", "c_arm_m120").data


def test_show_with_origin_names_file_and_line_of_every_value(capsys, root):
    _, out, _ = run(capsys, "show", "no_image", "--origin")
    lines = out.splitlines()
    (line,) = [text for text in lines if text.startswith("name: ")]
    file, number = line.split()[-1].rsplit(":", 1)
    assert (root / file).read_text().splitlines()[int(number) - 1] == "name: no_image"
    assert len(lines) > 10 and all(text.rsplit(":", 1)[1].isdigit() for text in lines)


def test_show_as_json_holds_the_checksum_and_on_demand_the_places(capsys):
    _, out, _ = run(capsys, "show", "no_image", "--json", "--origin")
    answer = json.loads(out)
    assert answer["sha256"] == load("workflows", "no_image").sha256
    assert answer["origin"]["name"].endswith("no_image.yaml:2:1")
    assert "origin" not in json.loads(run(capsys, "show", "no_image", "--json")[1])


def test_a_name_that_several_kinds_use_must_be_told_apart(capsys, tmp_path, monkeypatch):
    for kind, word in (("sessions", "session"), ("workflows", "workflow")):
        (tmp_path / "configs" / kind).mkdir(parents=True)
        (tmp_path / "configs" / kind / "twin.yaml").write_text(f"kind: {word}\nname: twin\n")
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "show", "twin")
    assert code == 2 and "'twin' is a session and a workflow; say which with --kind" in err
    assert run(capsys, "show", "twin", "--kind", "workflow")[1].startswith("kind: workflow")


def test_check_without_names_reads_everything_that_is_shipped(capsys):
    code, out, err = run(capsys, "check")
    assert (code, err) == (0, "") and "c_arm_m120: ok (machine)" in out and "linac: ok (interlocks)" in out


WRONG = {
    "kind: session\nname: a\nmachine: c_arm_m12\nworkflow: no_imaeg\n": ["3:1: machine: no machine named", "4:1: workflow: no"],
    "kind: workflow\nname: a\nsteps:\n  - {step: laod}\n": ["no step 'laod'; did you mean load?"],
    "kind: workflow\nname: a\nsteps:\n  - {step: cbct}\n": ["no step 'cbct'; did you mean acquire_cbct?"],
    "kind: interlocks\nname: a\n": ["rows: is missing"],
    "kind: machine\nname: a\ninterlocks: linac\n": ["controller: is missing", "plant: is missing"],
    "kind: sesion\nname: a\n": ["kind is 'sesion'; it must be machine or session or workflow or interlocks"],
}


@pytest.mark.parametrize("text, expected", WRONG.items(), ids=range(len(WRONG)))
def test_check_finds_what_a_run_would_find(text, expected, capsys, tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text(text)
    code, _, err = run(capsys, "check", str(path))
    assert code == 3 and all(words in err for words in expected)
    assert err.startswith(str(path))


def test_check_goes_on_after_a_wrong_file(capsys, tmp_path):
    (tmp_path / "f.yaml").write_text("kind: session\n")
    code, out, _ = run(capsys, "check", str(tmp_path / "f.yaml"), "no_image", "--json")
    first, second = json.loads(out)
    assert code == 3 and not first["ok"] and first["problems"] and second == {"name": "no_image", "ok": True, "problems": []}


@pytest.mark.parametrize("kind", ["machine", "session", "workflow", "interlocks"])
def test_schema_is_a_json_schema_with_the_keys_of_the_kind(kind, capsys):
    _, out, _ = run(capsys, "schema", kind)
    schema = json.loads(out)
    assert schema["type"] == "object" and {"kind", "name"} <= set(schema["properties"])
