"""Where a device is reached: URLs, opening them, and what fits through."""
