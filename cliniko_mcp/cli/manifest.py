"""`cliniko-mcp manifest`: write, or check, what is generated from the registry."""

import sys

import click


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when a generated file is out of date.")
def manifest(check: bool) -> None:
    """Write tools.manifest.json, the package's listing and the README's tables from the registry."""
    from cliniko_mcp.manifest import project_root, stale, write

    root = project_root()
    if not check:
        for path in write(root):
            click.echo(f"wrote {path.relative_to(root)}")
        return
    old = stale(root)
    for path in old:
        click.echo(f"{path.relative_to(root)} is out of date: run cliniko-mcp manifest", err=True)
    sys.exit(1 if old else 0)
