"""What is done to a session from outside while it runs: by a test, or over a socket; on record, so that it can be repeated."""
