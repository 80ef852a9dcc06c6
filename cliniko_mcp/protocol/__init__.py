"""MCP's side: the server and its transports, questions by a form, prompts, attachable records and completions."""
