"""MCP's other surfaces: prompts for the day's routines, records to attach to a chat, completions for names."""
