"""What a command loads before it begins: nothing that it does not need."""

import json
import subprocess
import sys
from subprocess import PIPE
from tempfile import TemporaryFile

import pytest

WITHOUT_A_CLIENT = ("app", "cli.sandbox", "doctor", "export", "manifest", "protocol.transports", "sandbox.port")


def test_what_runs_without_a_client_does_not_load_the_mcp_sdk():
    """It takes three quarters of a second, which the commands for a shell and the demo clinic's port can do without."""
    loaded = "sys.exit(str({'mcp', 'mcp_types'} & {*sys.modules}))"
    code = f"import sys, {', '.join(f'cliniko_mcp.{name}' for name in WITHOUT_A_CLIENT)}; {loaded}"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)

    assert done.stderr.strip() == "set()"


@pytest.mark.long
def test_no_resource_module_is_loaded_at_start():
    """A resource's models cost milliseconds each: the list of tools is answered from the packaged index."""
    code = (
        "import sys, cliniko_mcp.app, cliniko_mcp.protocol.server, cliniko_mcp.protocol.transports; "
        "sys.exit(str(sorted(name for name in sys.modules if name.startswith('cliniko_mcp.cliniko.resources.'))))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)

    assert done.stderr.strip() == "[]"


@pytest.mark.long
def test_nothing_of_the_hosted_mode_is_loaded_on_stdio():
    """One clinic on one computer pays nothing for what serves many: looked at after calls, as imports may be late."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    }
    calls = [
        ("tools/list", {}),
        ("tools/call", {"name": "list_patients", "arguments": {"limit": 1}}),
        ("tools/call", {"name": "archive_patient", "arguments": {"id": "1"}}),
    ]
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": meta}})
        for number, (method, params) in enumerate(calls)
    ]
    flags = ["serve", "--sandbox", "--approval-wait", "0"]
    command = [sys.executable, "-X", "importtime", "-m", "cliniko_mcp", *flags]

    with (
        TemporaryFile("w+") as imports,
        subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=imports, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        for line in lines:  # the next one after the answer, as the end of the input ends the calls under way
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["result"]
        process.stdin.close()
        process.wait(300)
        imports.seek(0)
        told = imports.read().splitlines()

    loaded = {line.rpartition("|")[2].strip() for line in told if line.startswith("import time:")}
    assert {"cliniko_mcp.protocol.responder", "cliniko_mcp.approvals.page"} <= loaded
    rooms = ("identity", "directory", "pages", "shared_state", "telemetry", "account_pool", "clinic_pool", "open_apps")
    ours = tuple(f"cliniko_mcp.{room}" for room in rooms)
    others = ("redis", "asyncpg", "prometheus_client", "opentelemetry.sdk", "opentelemetry.exporter")
    assert [name for name in sorted(loaded) if name.startswith((*ours, *others))] == []


@pytest.mark.long
def test_a_server_starts_without_what_only_a_terminal_or_a_page_needs():
    code = (
        "import sys, cliniko_mcp.protocol.server, cliniko_mcp.protocol.transports, cliniko_mcp.cli.serve; "
        "late = ('cliniko_mcp.printouts', 'cliniko_mcp.protocol.apps.pages', 'rich'); "
        "sys.exit(str(sorted(name for name in sys.modules if name.startswith(late))))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)

    assert done.stderr.strip() == "[]"
