"""Faults put into a running session from outside: the controller knows nothing of it."""
