"""The machine that is not there: virtual devices, their physics and their safety channel. Knows nothing of the controller."""
