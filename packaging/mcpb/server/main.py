"""Starts the server from inside the bundle; the host's settings arrive as environment variables."""

from cliniko_mcp.cli import main

if __name__ == "__main__":
    main()
