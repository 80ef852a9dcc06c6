"""All that happens to a call before it becomes HTTP, one layer a file: audit, read-only, confirm."""
