"""Studies of populations: many patients, many sessions, real pixels; composition, like app.py. Never part of a session."""
