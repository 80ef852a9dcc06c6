"""Phrases of time as a clinic's staff say them, read as clinic-local intervals."""
