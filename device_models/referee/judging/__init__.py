"""What is made of a trace after the run: plain arrays, nothing compiled."""
