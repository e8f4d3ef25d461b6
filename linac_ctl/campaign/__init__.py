"""Thousands of sessions with faults: what to run, running it, the ledger, and what came of it."""
