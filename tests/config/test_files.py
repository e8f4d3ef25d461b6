"""Where files are found, and how one extends another."""

import os
import subprocess
import sys

import pytest

from linac_ctl.config.loader import available, canonical_json, find, load, read_file
from linac_ctl.errors import ConfigError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with configs of its own; `write(name, text)` puts one into configs/sessions."""
    folder = tmp_path / "configs" / "sessions"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (folder / f"{name}.yaml").write_text(text)
        return folder / f"{name}.yaml"

    return write


def test_the_nearest_file_of_a_name_wins(here):
    shipped = find("sessions", "spine_sbrt")
    mine = here("spine_sbrt", "kind: session\nname: mine\n")
    assert find("sessions", "spine_sbrt") == mine and shipped != mine
    assert load("sessions", "spine_sbrt").data["name"] == "mine"


def test_an_unknown_name_lists_what_there_is_and_the_nearest(here):
    here("mine", "kind: session\nname: mine\n")
    with pytest.raises(ConfigError, match=r"no session named 'spine_sbtr'; did you mean 'spine_sbrt'\?; there are .*\bmine\b"):
        find("sessions", "spine_sbtr")


def test_an_unknown_path_says_so(here):
    with pytest.raises(ConfigError, match=r"session file \./no\.yaml: there is no such file"):
        find("sessions", "./no.yaml")


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match=r"'machine'; did you mean 'machines'\?"):
        find("machine", "x")


def test_files_that_start_with_an_underscore_are_parents_only(here):
    here("_base", "kind: session\nname: base\n")
    assert "_base" not in available("sessions")
    with pytest.raises(ConfigError, match="no session named '_base'"):
        find("sessions", "_base")


def test_a_child_overrides_its_parent_deeply_and_lists_are_replaced(here):
    here("_base", "kind: session\nname: base\na: {x: 1, y: {z: 2}}\nlist: [1, 2, 3]\nkept: yes\n")
    here("child", "extends: _base\nname: child\na: {y: {w: 5}}\nlist: [9]\n")
    loaded = load("sessions", "child")
    assert loaded.data == {"kind": "session", "name": "child", "a": {"x": 1, "y": {"z": 2, "w": 5}}, "list": [9], "kept": "yes"}
    assert [path.name for path in loaded.files] == ["child.yaml", "_base.yaml"]


def test_every_merged_value_keeps_the_place_where_it_was_written(here):
    here("_base", "kind: session\nname: base\na:\n  x: 1\nlist: [1, 2, 3]\n")
    here("child", "extends: _base\nname: child\nlist: [9]\n")
    places = {path: str(place) for path, place in load("sessions", "child").origin.items()}
    assert places["a.x"] == "configs/sessions/_base.yaml:4:3"
    assert places["name"] == "configs/sessions/child.yaml:2:1"
    assert places["list.0"] == "configs/sessions/child.yaml:3:8"
    assert "list.1" not in places


def test_a_null_takes_a_parents_value_away(here):
    here("_base", "kind: session\nname: base\na: {x: 1}\n")
    here("child", "extends: _base\na: null\n")
    assert load("sessions", "child").data["a"] is None


def test_grandparents_are_merged_from_the_far_end(here):
    here("_a", "kind: session\nname: a\nv: 1\nw: 1\nx: 1\n")
    here("_b", "extends: _a\nv: 2\nw: 2\n")
    here("c", "extends: _b\nv: 3\n")
    assert {k: load("sessions", "c").data[k] for k in "vwx"} == {"v": 3, "w": 2, "x": 1}


def test_a_circle_of_parents_is_refused_and_shown(here):
    here("a", "kind: session\nextends: b\n")
    here("b", "extends: a\n")
    with pytest.raises(ConfigError, match=r"configs/sessions/b\.yaml:1:1: extends goes round in a circle: a -> b -> a"):
        load("sessions", "a")


@pytest.mark.parametrize("value, message", [
    ("[a, b]", "takes the name of one file"), ("../x", "takes the name of one file"), ("''", "takes the name of one file"),
    ("_bsae", r"nothing is named '_bsae'; did you mean '_base'\?"),
])
def test_a_parent_that_cannot_be_is_refused_with_its_place(here, value, message):
    here("_base", "kind: session\n")
    here("a", f"kind: session\nextends: {value}\n")
    with pytest.raises(ConfigError, match=rf"configs/sessions/a\.yaml:2:1: extends.*{message}"):
        load("sessions", "a")


def test_a_file_of_another_kind_is_refused(here):
    here("a", "kind: machine\nname: a\n")
    with pytest.raises(ConfigError, match=r"a\.yaml:1:1: kind is 'machine'; it must be session here"):
        load("sessions", "a")


def test_a_problem_in_a_parent_names_the_parent(here):
    here("_base", "kind: session\nx: 010\n")
    here("a", "extends: _base\n")
    with pytest.raises(ConfigError, match=r"^configs/sessions/_base\.yaml:2:4: "):
        load("sessions", "a")


def test_text_that_is_not_utf_8_is_refused_with_its_line(here):
    path = here("a", "")
    path.write_bytes(b"kind: session\nname: f\xfcr\n")
    with pytest.raises(ConfigError, match=r"a\.yaml:2:1: not UTF-8 text \(byte 0xfc\)"):
        load("sessions", "a")


def test_a_folder_is_not_a_file(here, tmp_path):
    (tmp_path / "x.yaml").mkdir()
    with pytest.raises(ConfigError, match="no such file"):
        find("sessions", "./x.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(tmp_path / "x.yaml")


def test_the_checksum_follows_the_values_and_not_their_order(here):
    here("a", "kind: session\nname: n\nx: 1\n")
    here("b", "x: 1\nname: n   # a remark\nkind: session\n")
    here("c", "x: 2\nname: n\nkind: session\n")
    a, b, c = (load("sessions", name).sha256 for name in "abc")
    assert a == b != c


def test_canonical_json_refuses_what_json_cannot_say():
    assert canonical_json({"b": 1, "a": [1.0, None, "ü"]}) == '{"a":[1.0,null,"ü"],"b":1}'
    with pytest.raises(ValueError):
        canonical_json({"a": float("nan")})


def test_a_shipped_file_is_named_alike_wherever_one_stands(monkeypatch):
    names = []
    for folder in ("/", "/tmp"):
        monkeypatch.chdir(folder)
        names.append(load("workflows", "no_image").origin["name"].file)
    assert names == ["configs/workflows/no_image.yaml"] * 2


def test_what_is_shipped_is_found_from_any_folder(tmp_path, root):
    code = "from linac_ctl.config.loader import available; print(*available('machines'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)},
                          capture_output=True, text=True, check=True)
    assert "c_arm_m120" in done.stdout.split()
