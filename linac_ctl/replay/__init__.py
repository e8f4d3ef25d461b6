"""A run once more, from its folder alone: bit for bit, or the first place where it differs."""
