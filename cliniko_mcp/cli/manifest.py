"""`cliniko-mcp manifest`: write, or check, what is generated from the registry."""

import click

from cliniko_mcp.cli.output import leave
from cliniko_mcp.errors import ExitCode


@click.command()
@click.option("--names", is_flag=True, help="Also take today's names as those of a release (docs/stability.md).")
@click.option("--release", is_flag=True, help="Write nothing; fail where this cannot be released yet, and say why.")
@click.option("--check", is_flag=True, help="Write nothing; fail when a generated file is out of date.")
def manifest(check: bool, names: bool, release: bool) -> None:
    """Write tools.manifest.json, the package's listing, the README's tables and the pages that hosts show."""
    from cliniko_mcp.hosts.reference import host_reference
    from cliniko_mcp.manifest import generated, out_of_date, project_root, take_names
    from cliniko_mcp.protocol.apps.build import stale_pages, write_pages

    root = project_root()
    if release:
        from cliniko_mcp.published import unreleasable

        missing = list(unreleasable(root))
        for sentence in missing:
            click.echo(sentence, err=True)
        leave(ExitCode.FAILED if missing else ExitCode.DONE)
    if names:
        click.echo(f"wrote {take_names(root).relative_to(root)}")
    texts = generated(root) | host_reference(root)
    changed = out_of_date(texts)
    if check:
        old = [*changed, *stale_pages(root)]
        for path in old:
            click.echo(f"{path.relative_to(root)} is out of date: run cliniko-mcp manifest", err=True)
        leave(ExitCode.FAILED if old else ExitCode.DONE)
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path], "utf-8", newline="\n")
    for path in (*changed, *write_pages(root)):
        click.echo(f"wrote {path.relative_to(root)}")
