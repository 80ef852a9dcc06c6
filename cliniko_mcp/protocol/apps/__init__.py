"""MCP Apps: pages that a host shows beside the answer of a tool (extension io.modelcontextprotocol/ui, 2026-01-26)."""
