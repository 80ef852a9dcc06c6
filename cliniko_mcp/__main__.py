"""`python -m cliniko_mcp` and the `cliniko-mcp` command."""

from cliniko_mcp.cli import main

if __name__ == "__main__":
    main()
