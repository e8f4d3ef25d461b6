"""Wires that lie and moments that come: compiled, next to the cycle, and only in runs with faults."""
