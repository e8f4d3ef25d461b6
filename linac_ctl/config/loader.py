"""Everything that reads configuration, under one name."""

from .bundle import Machine, MachineFile, load_machine, machine_from
from .files import KINDS, Loaded, available, canonical_json, find, load, read_file
from .origin import Origin
from .problems import validate

__all__ = [
    "KINDS", "Loaded", "Machine", "MachineFile", "Origin", "available", "canonical_json", "find", "load",
    "load_machine", "machine_from", "read_file", "validate",
]
