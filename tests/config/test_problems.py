"""What a wrong file is told."""

import pytest

from linac_ctl.config.loader import read_file, validate
from linac_ctl.config.session import SessionConfig, WorkflowConfig
from linac_ctl.errors import ConfigError

HEAD = "kind: session\nname: a\nmachine: m\nworkflow: w\n"


def problems(tmp_path, text, model=SessionConfig):
    """Lines of the ConfigError for a file text, without the folder; [] if it is fine."""
    path = tmp_path / "f.yaml"
    path.write_text(text)
    try:
        validate(model, read_file(path))
    except ConfigError as error:
        return [line.replace(f"{path}", "f.yaml") for line in str(error).splitlines()]
    return []


def test_a_sound_file_has_no_problems(tmp_path):
    assert problems(tmp_path, HEAD + "plan: {make: x}\n") == []


def test_an_unknown_key_is_placed_and_the_nearest_is_named(tmp_path):
    assert problems(tmp_path, HEAD + "plan: {make: x, mcl: y}\n") == [
        "f.yaml:5:17: plan.mcl: there is no such key; did you mean 'mlc'? (got 'y')",
    ]


def test_a_wrong_word_of_a_list_is_told_the_nearest(tmp_path):
    (line,) = problems(tmp_path, HEAD + "operators:\n  people:\n    - {name: a, role: terapist}\n")
    assert line.startswith("f.yaml:7:17: operators.people.0.role: input should be 'therapist'")
    assert line.endswith("(got 'terapist'); did you mean 'therapist'?")


def test_a_missing_key_is_named_at_the_group_that_lacks_it(tmp_path):
    (line,) = problems(tmp_path, HEAD + "operators:\n  people:\n    - {name: a}\n")
    assert line == "f.yaml:7:7: operators.people.0.role: is missing"


def test_a_missing_key_says_what_it_is_for(tmp_path):
    (line,) = problems(tmp_path, "kind: session\nname: a\nmachine: m\n")
    assert line == "f.yaml:1:1: workflow: is missing (name or path of a workflow file)"


def test_all_problems_are_told_together_in_the_order_of_the_file(tmp_path):
    lines = problems(tmp_path, HEAD + "seed: 1.5\nplan: {make: x, mu: '3'}\ntime_limit_s: -1\n")
    assert [line.split(": ")[0] for line in lines] == ["f.yaml:5:1", "f.yaml:6:17", "f.yaml:7:1"]


@pytest.mark.parametrize("line", ["seed: '5'", "seed: true", "seed: 1.5", "name: 5", "time_limit_s: '10'", "seed: null"])
def test_text_is_no_number_and_a_number_is_no_text(tmp_path, line):
    key = line.split(":")[0]
    text = "\n".join(row for row in HEAD.splitlines() if not row.startswith(key)) + f"\n{line}\n"
    assert len(problems(tmp_path, text)) == 1


def test_a_whole_number_does_for_a_fraction(tmp_path):
    assert problems(tmp_path, HEAD + "time_limit_s: 10\n") == []


@pytest.mark.parametrize("plan, fine", [
    ("{make: x}", True), ("{file: x}", True), ("{make: x, file: y}", False), ("{}", False), ("{file: x, mu: 3}", False),
    ("{make: x, mu: 3}", True), ("{make: x, mu: 0}", False),
])
def test_a_plan_is_a_file_or_is_made(tmp_path, plan, fine):
    assert (problems(tmp_path, HEAD + f"plan: {plan}\n") == []) == fine


@pytest.mark.parametrize("event, fine", [
    ("{who: a, do: x, at_s: 1}", True), ("{who: a, do: x, on: beam}", True), ("{who: a, do: x}", False),
    ("{who: a, do: x, on: beam, at_s: 1}", False), ("{who: a, do: x, at_s: -1}", False),
])
def test_an_act_has_one_moment(tmp_path, event, fine):
    assert (problems(tmp_path, HEAD + f"operators: {{events: [{event}]}}\n") == []) == fine


def test_settings_of_a_step_are_single_values(tmp_path):
    text = "kind: workflow\nname: a\nsteps:\n  - {step: x, a: 1, b: text, c: true, d: 0.5}\n  - {step: y, e: [1]}\n"
    assert problems(tmp_path, text, WorkflowConfig) == [
        "f.yaml:5:15: steps.1.e: a setting is one number, one text, or true/false",
    ]


def test_a_workflow_without_steps_is_refused(tmp_path):
    (line,) = problems(tmp_path, "kind: workflow\nname: a\nsteps: []\n", WorkflowConfig)
    assert line.startswith("f.yaml:3:1: steps: ")


def test_the_settings_of_a_step_survive_as_written(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("kind: workflow\nname: a\nsteps:\n  - {step: x, takes_s: 30.0, people: 2, ask: true}\n")
    (step,) = validate(WorkflowConfig, read_file(path)).steps
    assert step.model_dump() == {"step": "x", "takes_s": 30.0, "people": 2, "ask": True}
