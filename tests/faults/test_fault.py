"""What a fault may say: one moment, one kind, bounded lengths."""

import pytest

from device_models.faults.errors import FaultError
from device_models.faults.fault import Fault, Lasts, When
from device_models.faults.modes import catalogue, find

NOW = When(at_s=1.0)


@pytest.mark.parametrize("given", [{}, {"at_s": 1.0, "mu": 2.0}])
def test_a_moment_is_exactly_one(given):
    with pytest.raises(FaultError, match="exactly one"):
        When(**given)


def test_a_phase_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(FaultError, match="did you mean beam_on"):
        When(phase="beamon")


def test_a_message_names_its_link():
    with pytest.raises(FaultError, match="which device"):
        When(message=3)


@pytest.mark.parametrize("given", [{"blip": True, "s": 1.0}, {"s": -1.0}, {"every_s": 2.0}, {"s": 3.0, "every_s": 2.0}])
def test_a_length_that_cannot_be_is_refused(given):
    with pytest.raises(FaultError, match="lasts"):
        Lasts(**given)


@pytest.mark.parametrize("given", [
    {}, {"mode": "ACT-04", "signal": "gantry.readback", "behaviour": "nan"}, {"signal": "gantry.readback"},
    {"parameter": "plant.mlc[1].moves"}, {"set": {"leaf": 1}, "signal": "gantry.readback", "behaviour": "nan"},
])
def test_a_fault_is_a_mode_or_a_signal_or_a_parameter(given):
    with pytest.raises(FaultError, match="f1"):
        Fault("f1", NOW, **given)


def test_an_unknown_mode_names_the_nearest():
    with pytest.raises(FaultError, match=r"did you mean.*ACT-04"):
        find("ACT-4")


def test_every_mode_makes_actions_from_its_usual_settings_and_names_its_settings_in_errors():
    for mode in catalogue().values():
        settled = mode.settle({})
        assert set(settled) == set(mode.settings)
        with pytest.raises(FaultError, match=mode.id):
            mode.settle({"no_such_setting": 1})
