"""result.json and its schema."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linac_ctl.errors import RecordError
from linac_ctl.records.result import Deviation, read_result, schema, write_result
from tests.records.synthetic import result

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "reference" / "result.schema.json"
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
    "null": type(None),
}


def problems(value: Any, rule: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """What does not fit: as much of JSON Schema as ours uses, written apart from the library that makes it."""
    if "$ref" in rule:
        return problems(value, root["$defs"][rule["$ref"].rsplit("/", 1)[1]], root, at)
    if "anyOf" in rule:
        return [] if any(not problems(value, option, root, at) for option in rule["anyOf"]) else [f"{at}: fits none"]
    found = []
    kind = rule.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{at}: {value!r} is no {kind}"]
    if ("const" in rule and value != rule["const"]) or ("enum" in rule and value not in rule["enum"]):
        found.append(f"{at}: {value!r} is not allowed")
    if isinstance(value, dict):
        known = rule.get("properties", {})
        found += [f"{at}: {key} is missing" for key in rule.get("required", []) if key not in value]
        for key, item in value.items():
            inner = known.get(key, rule.get("additionalProperties", True))
            if inner is False:
                found.append(f"{at}: {key} is unknown")
            elif isinstance(inner, dict):
                found += problems(item, inner, root, f"{at}.{key}")
    if isinstance(value, list) and "items" in rule:
        found += [p for i, item in enumerate(value) for p in problems(item, rule["items"], root, f"{at}[{i}]")]
    return found


def test_the_documented_schema_is_the_one_in_force() -> None:
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(schema()))


def test_a_result_fits_the_documented_schema(tmp_path: Path) -> None:
    data = json.loads(write_result(tmp_path, result()).read_text())
    assert problems(data, json.loads(SCHEMA.read_text()), json.loads(SCHEMA.read_text())) == []


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("outcome", "great", "not allowed"),
        ("seed", "7", "is no integer"),
        ("schema_version", 2, "not allowed"),
        ("mood", 1, "unknown"),
        ("digest", None, "is no string"),
    ],
)
def test_the_schema_refuses_what_is_wrong(tmp_path: Path, key: str, value: Any, says: str) -> None:
    data = json.loads(write_result(tmp_path, result()).read_text()) | {key: value}
    rules = json.loads(SCHEMA.read_text())
    assert any(says in p for p in problems(data, rules, rules))


def test_a_result_reads_back_the_same(tmp_path: Path) -> None:
    write_result(tmp_path, result())
    assert read_result(tmp_path) == result()


def test_the_kind_of_stop_is_called_class_in_the_file(tmp_path: Path) -> None:
    trip = json.loads(write_result(tmp_path, result()).read_text())["interlocks"][0]
    assert trip["class"] == "hold" and "kind" not in trip


def test_not_a_number_is_written_as_null(tmp_path: Path) -> None:
    one = result()
    beam = replace(one.beams[0], axes={"gantry": Deviation(float("nan"), float("nan"), "deg")})
    data = json.loads(write_result(tmp_path, replace(one, beams=(beam,))).read_text())
    assert data["beams"][0]["axes"]["gantry"] == {"worst": None, "rms": None, "unit": "deg"}
    assert read_result(tmp_path).beams[0].axes["gantry"].worst is None


def test_a_missing_key_is_said_by_name(tmp_path: Path) -> None:
    data = json.loads(write_result(tmp_path, result()).read_text())
    del data["digest"]
    (tmp_path / "result.json").write_text(json.dumps(data))
    with pytest.raises(RecordError, match=r"result.json: damaged: digest: "):
        read_result(tmp_path)
