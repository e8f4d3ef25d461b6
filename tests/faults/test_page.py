"""The reference page of fault modes is what the catalogue says."""

from device_models.faults.modes import catalogue
from tools.fault_modes import PAGE, page


def test_the_page_of_fault_modes_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tools/fault_modes.py"


def test_every_mode_is_on_the_page() -> None:
    text = page()
    assert not [name for name in catalogue() if f"**{name}**" not in text]
