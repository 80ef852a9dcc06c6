"""All that happens to an operation before it becomes HTTP, one guard a file: audit, exclusion, read-only, confirm."""
