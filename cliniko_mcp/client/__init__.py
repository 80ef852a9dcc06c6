"""All that knows HTTP: the way to one clinic's Cliniko account, and what its answers mean."""
