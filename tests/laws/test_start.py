"""What a command loads before it begins: nothing that it does not need."""

import subprocess
import sys

WITHOUT_A_CLIENT = ("app", "cli.sandbox", "doctor", "export", "manifest", "protocol.transports", "sandbox.port")


def test_what_runs_without_a_client_does_not_load_the_mcp_sdk():
    """It takes three quarters of a second, which the commands for a shell and the demo clinic's port can do without."""
    loaded = "sys.exit(str({'mcp', 'mcp_types'} & {*sys.modules}))"
    code = f"import sys, {', '.join(f'cliniko_mcp.{name}' for name in WITHOUT_A_CLIENT)}; {loaded}"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)

    assert done.stderr.strip() == "set()"


def test_no_resource_module_is_loaded_at_start():
    """A resource's models cost milliseconds each: the list of tools is answered from the packaged index."""
    code = (
        "import sys, cliniko_mcp.app, cliniko_mcp.protocol.server, cliniko_mcp.protocol.transports; "
        "sys.exit(str(sorted(name for name in sys.modules if name.startswith('cliniko_mcp.cliniko.resources.'))))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)

    assert done.stderr.strip() == "[]"


def test_a_server_starts_without_what_only_a_terminal_or_a_page_needs():
    code = (
        "import sys, cliniko_mcp.protocol.server, cliniko_mcp.protocol.transports, cliniko_mcp.cli.serve; "
        "late = ('cliniko_mcp.printouts', 'cliniko_mcp.protocol.apps.pages', 'rich'); "
        "sys.exit(str(sorted(name for name in sys.modules if name.startswith(late))))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)

    assert done.stderr.strip() == "[]"
