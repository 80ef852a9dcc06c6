"""The clinic's reports: each a definition, a summary and rows, computed from whole lists, not from a first page."""
