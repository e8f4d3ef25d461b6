"""Which files are tried, and the tests that have to notice."""

INTERLOCKS = "tests/interlocks/"
CONTROL = "tests/control/"
TARGETS: dict[str, list[str]] = {
    "linac_ctl/interlocks/scan.py": [INTERLOCKS + "test_scan.py"],
    "linac_ctl/interlocks/panel.py": [INTERLOCKS + "test_panel.py"],
    "linac_ctl/interlocks/table.py": [INTERLOCKS + "test_table.py", INTERLOCKS + "test_catalogue.py"],
    "linac_ctl/control/measure.py": [CONTROL + "test_measure.py"],
    **{f"linac_ctl/control/measure_{part}.py": [CONTROL + f"test_measure_{part}.py"]
       for part in ("axes", "beam", "channel", "patient", "room", "self")},
    "linac_ctl/control/worst.py": [CONTROL + "test_measure_worst.py"],
    "linac_ctl/control/field.py": [CONTROL + "test_field.py"],
    "linac_ctl/control/cycle.py": [CONTROL + "test_cycle.py"],
    "linac_ctl/control/journal.py": [CONTROL + "test_journal.py"],
    "device_models/safety.py": [INTERLOCKS + "test_channel.py"],
    "device_models/interface/heartbeat.py": [INTERLOCKS + "test_channel.py"],
    "device_models/parts/chamber.py": [INTERLOCKS + "test_dose.py"],
    "device_models/beam.py": [INTERLOCKS + "test_dose.py"],
}
NOT_COMPILED = ("linac_ctl/interlocks/panel.py", "linac_ctl/interlocks/table.py")  # tested beside compiled code, which is fast
