"""`cliniko-mcp sandbox`: the demo clinic on a local port, for curl and any other Cliniko client."""

from contextlib import closing
from typing import Any

import click

from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.tools import SHOWN

KEPT = ("sandbox_now", "sandbox_clock", "sandbox_file", "seed", "rate_limit", "faults", "port")


def _others() -> tuple[str, ...]:
    from cliniko_mcp.settings import Settings

    return (*SHOWN, *(name for name in Settings.model_fields if name not in (*SHOWN, *KEPT)))


@click.command()
@click.option("--ledger", is_flag=True, help="Show how true each operation of the demo clinic is, and stop.")
@settings_options(leave_out=_others())
def sandbox(ledger: bool, **flags: Any) -> None:
    """Serve the demo clinic on a local port, under /v1, with Basic auth. --port 8123 unless given."""
    if ledger:
        from cliniko_mcp.sandbox.ledger import told

        click.echo(told())
        return
    import anyio

    from cliniko_mcp.sandbox.port import asgi_app
    from cliniko_mcp.server import demo_clinic
    from cliniko_mcp.settings import Settings
    from cliniko_mcp.transports import listen, sandbox_lines

    if flags.get("port") is None:
        flags["port"] = 8123
    settings = Settings.load(flags | {"sandbox": True})
    with closing(demo_clinic(settings)) as clinic:

        def started(port: int) -> None:
            clinic.base_url = f"http://127.0.0.1:{port}/v1"
            for line in sandbox_lines(clinic.keys, clinic.base_url):
                click.echo(line)

        anyio.run(listen, asgi_app(clinic), "127.0.0.1", settings.port, started)
