"""Faults in a running session: schedules, what they do, and the proof that they did it. Reaches in from outside only."""
