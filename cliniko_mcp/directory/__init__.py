"""Whose accounts of Cliniko's a server works in: who is admitted, and their keys, sealed."""
