"""The description of the Cliniko API: operations, records, bodies and filters, without HTTP or MCP."""
