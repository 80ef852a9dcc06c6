"""Installing this server into an MCP host: where each host keeps its configuration, and how an entry is edited."""
