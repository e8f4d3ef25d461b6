"""How fast, against what, in one run: `python -m benchmarks`. See README.md."""
