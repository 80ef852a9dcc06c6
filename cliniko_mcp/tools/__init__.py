"""All that knows MCP's idea of a tool: schemas in one portable dialect, tools made of operations, results, views."""
