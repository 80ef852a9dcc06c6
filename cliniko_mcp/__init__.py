"""cliniko-mcp: an MCP server that lets an AI assistant work in a clinic's Cliniko account."""

__version__ = "0.1.0"
