"""`cliniko-mcp sandbox`: serves the demo clinic on a local port, for curl and any other Cliniko client."""

from contextlib import closing

import click

from cliniko_mcp.cli.options import settings_options

SETTINGS = ("sandbox_now", "sandbox_clock", "sandbox_file", "seed", "rate_limit", "faults")


@click.command()
@click.option("--ledger", is_flag=True, help="Print how faithfully each operation is simulated, and stop.")
@click.option(
    "--legacy-routes", is_flag=True, help="Also answer the old lists: /patients/deleted, /archived, /cancelled."
)
@click.option("--newer-routes", is_flag=True, help="Also answer what is newer than the description: recalls.")
@click.option("--port", default="8123", metavar="N", help="Port to listen on; 0 finds one. Without it: 8123.")
@settings_options(only=SETTINGS, usual=True)
def sandbox(ledger: bool, legacy_routes: bool, newer_routes: bool, port: str, **flags: object) -> None:
    """Serve the demo clinic on a local port, under /v1, with Basic auth."""
    if ledger:
        from cliniko_mcp.sandbox.ledger import ledger_text

        click.echo(ledger_text())
        return
    import gc

    import anyio

    from cliniko_mcp.app import demo_clinic
    from cliniko_mcp.protocol.transports import sandbox_lines
    from cliniko_mcp.protocol.web_server import listen
    from cliniko_mcp.sandbox.port import asgi_app
    from cliniko_mcp.sandbox.routes import ExtraRoutes
    from cliniko_mcp.settings import Settings

    settings = Settings.load(flags | {"sandbox": True, "port": port})
    with closing(demo_clinic(settings)) as clinic:
        extras: tuple[tuple[ExtraRoutes, bool], ...] = (("legacy", legacy_routes), ("newer", newer_routes))
        clinic.extra_routes = frozenset(name for name, on in extras if on)

        def started(port: int) -> None:
            clinic.base_url = f"http://127.0.0.1:{port}/v1"
            for line in sandbox_lines(clinic.keys, clinic.base_url):
                click.echo(line)
            # This process serves the clinic and nothing else, so its rows and modules can be frozen: a garbage
            # collection that walks them delays one response in some hundreds by 60 ms (measured), and no response
            # may take longer than 20 ms.
            assert clinic.context.store
            gc.collect()
            gc.freeze()

        anyio.run(listen, asgi_app(clinic), "127.0.0.1", settings.port, started)
