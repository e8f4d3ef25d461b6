"""Names of topics, and what is promised for each."""

import pytest

from linac_ctl.telemetry.topics import KINDS, machine_and_rest, quality, safe_name, topic


def test_a_topic_is_taken_apart_into_what_it_was_made_of():
    assert machine_and_rest(topic("m1", "couch", "state")) == ("m1", "couch/state")


@pytest.mark.parametrize("name", ["", "linac", "linac/v1/", "linac/v1/m1", "linac/v1//x", "linac/v2/m1/x", "other/v1/m1/x"])
def test_what_is_not_of_this_tree_has_no_machine(name):
    assert machine_and_rest(name) is None


@pytest.mark.parametrize("text, name", [
    ("c_arm_m120", "c_arm_m120"), ("bunker 3", "bunker_3"), ("a/b", "a_b"), ("+", "_"), ("#", "_"), ("$SYS", "_SYS"), ("", "_"),
    ("x\0y\n", "x_y_"), ("é", "é"), ("n" * 100, "n" * 64),
])
def test_a_name_becomes_one_level_of_a_topic_whatever_it_is(text, name):
    assert safe_name(text) == name


def test_only_what_stands_for_a_while_is_retained_and_nothing_is_sent_with_quality_two():
    assert {kind.topic for kind in KINDS if kind.retained} == {"$status", "$meta", "<subsystem>/state"}
    assert quality("linac/v1/m/couch/telemetry") == (0, False) and quality("linac/v1/m/event") == (1, False)
    assert max(kind.qos for kind in KINDS) == 1
