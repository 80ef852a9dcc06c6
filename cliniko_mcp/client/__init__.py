"""The HTTP client of one Cliniko account: credentials, rate limit, retries, pages, and what its answers mean."""
