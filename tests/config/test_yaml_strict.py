"""YAML as it is read here."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from linac_ctl.config.origin import origins, plain
from linac_ctl.config.yaml_strict import StrictComposer, StrictDumper, dump, parse
from linac_ctl.errors import ConfigError


def value_of(text):
    """The value of `a: text`."""
    return plain(parse(f"a: {text}\n", "f.yaml"))["a"]


@pytest.mark.parametrize("text, value", [
    ("1e3", 1000.0), ("1.0e+3", 1000.0), ("-.5", -0.5), ("1.", 1.0), ("12", 12), ("-12", -12), ("0", 0), ("0.0", 0.0),
    ("0x1f", 31), ("0o17", 15), ("12:30", "12:30"), ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"),
    ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("'010'", "010"), ("2026-11-25", "2026-11-25"),
    ("<= 3", "<= 3"), ("1.2.3", "1.2.3"), ("6FFF", "6FFF"), ("10X", "10X"),
])
def test_plain_scalars_are_those_of_yaml_1_2(text, value):
    read = value_of(text)
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize("text", ["010", "-07", "1_000", ".inf", "-.INF", ".nan", "1e999", "!!python/name:os.system x", "!x 1"])
def test_what_could_be_misread_is_refused_with_its_place(text):
    with pytest.raises(ConfigError, match=r"^f\.yaml:1:4: "):
        value_of(text)


def test_a_key_that_is_written_twice_is_refused_and_both_lines_are_named():
    with pytest.raises(ConfigError, match=r"f\.yaml:3:3: 'x' is written twice; first at line 2"):
        parse("a:\n  x: 1\n  x: 2\n", "f.yaml")


def test_a_tab_is_named_as_one():
    with pytest.raises(ConfigError, match=r"f\.yaml:2:1: .*tab, indent with spaces"):
        parse("a:\n\tb: 1\n", "f.yaml")


@pytest.mark.parametrize("text, where", [
    ("a: [1,\nb: 2", r"f\.yaml:\d+:\d+: "), ("", r"f\.yaml:1:1: the file is empty"), ("- 1\n", r"f\.yaml:1:1: expected"),
    ("a: \x00", r"f\.yaml:1:1: a character"), ("a: 1\n---\nb: 1\n", r"f\.yaml:2:1: "), ("? [1]\n: 2\n", r"f\.yaml:1:3: a key"),
    ("a: &x [*x]", r"f\.yaml:1:4: an alias that holds itself"), ("a: *nothing", r"f\.yaml:1:4: "),
    ("a: " + "[" * 5000, r"f\.yaml:\d+:\d+: "),
])
def test_broken_files_say_where(text, where):
    with pytest.raises(ConfigError, match=where):
        parse(text, "f.yaml")


def test_an_alias_bomb_is_defused():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(ConfigError, match="far too many values"):
        parse("\n".join(lines), "f.yaml")


def test_every_problem_of_a_file_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        parse("a: 010\nb: .nan\nb: 1\n", "f.yaml")
    assert [line.split(" ")[0] for line in str(caught.value).splitlines()] == ["f.yaml:1:4:", "f.yaml:2:4:", "f.yaml:3:1:"]


def test_every_value_knows_its_line_and_column():
    places = origins(parse("a: 1\nb:\n  c: [5, {d: 6}]\n", "f.yaml"))
    assert {path: str(place) for path, place in places.items()} == {
        "": "f.yaml:1:1", "a": "f.yaml:1:1", "b": "f.yaml:2:1", "b.c": "f.yaml:3:3", "b.c.0": "f.yaml:3:7",
        "b.c.1": "f.yaml:3:10", "b.c.1.d": "f.yaml:3:11",
    }


def test_a_merge_key_fills_in_what_is_not_written():
    assert plain(parse("a: &x {q: 1, r: 2}\nb:\n  <<: *x\n  q: 3\n", "f"))["b"] == {"q": 3, "r": 2}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f\x85"), max_size=8
) | st.sampled_from(["010", "1e3", "no", ".inf", "<<", "~", "1_0", "0x1", "=", "- a", "null"])
KEYS = st.text("abcdefghij_0123456789", min_size=1, max_size=5)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=5))
def test_what_is_dumped_reads_back_as_the_same_values(data):
    read = plain(parse(dump(data), "f"))
    assert read == data and repr(read) == repr(data)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_as_a_configuration(text):
    try:
        parse(text, "f")
    except ConfigError as error:
        assert str(error).startswith("f:")


def test_the_slow_parser_agrees_with_the_fast_one():
    text = "a: [1, 2.5, no, '3', {b: ~}]\nc: |\n  text\n"

    class Slow(yaml.SafeLoader):
        yaml_implicit_resolvers = StrictComposer.yaml_implicit_resolvers

    assert yaml.serialize(Slow(text).get_single_node(), Dumper=StrictDumper) == \
        yaml.serialize(StrictComposer(text).get_single_node(), Dumper=StrictDumper)
