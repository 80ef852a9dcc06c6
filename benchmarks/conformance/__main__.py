"""The official MCP conformance suite against this server, for both protocol revisions.

    python -m benchmarks.conformance [--package @modelcontextprotocol/conformance@0.2.0-alpha.12]

Needs node and npm; the suite needs node 22, which is fetched beside it where the installed one is older. What does not
pass is listed, with the reason, in the two files beside this one; the run fails on anything else, and also when
something listed there begins to pass. The server asks for a bearer token, as always over HTTP, which the suite cannot
send: each request goes through `with_token`.
"""

import json
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.conformance.with_token import with_token
from benchmarks.http import TOKEN, listening

PACKAGE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
REVISIONS = ("2025-11-25", "2026-07-28")
HERE = Path(__file__).parent


def main() -> None:
    """Run the scenarios that each revision requires; exit 1 where one ends otherwise than expected."""
    package = sys.argv[sys.argv.index("--package") + 1] if "--package" in sys.argv else PACKAGE
    if shutil.which("npm") is None:
        sys.exit("node and npm are needed")
    with tempfile.TemporaryDirectory() as folder, listening() as (server, _, _), with_token(server, TOKEN) as address:
        command = installed(Path(folder), package)
        codes = [scenarios(command, address, revision, Path(folder)) for revision in REVISIONS]
    sys.exit(max(codes))


def scenarios(command: list[str], address: str, revision: str, folder: Path) -> int:
    """Run one revision's scenarios, print their outcome, and give the suite's exit code."""
    expected = HERE / f"expected-failures-{revision}.yml"
    flags = ["--url", address, "--requirements", revision, "--expected-failures", str(expected), "-o", str(folder)]
    done = subprocess.run([*command, "server", *flags], capture_output=True, text=True, check=False, cwd=folder)
    summary = done.stdout.partition("=== SUMMARY ===")[2] or done.stdout + done.stderr
    print(f"\n{revision}\n{summary.strip()}")
    return done.returncode


def installed(folder: Path, package: str) -> list[str]:
    """The command that runs the suite, installed into this folder."""
    wanted = [package]
    major = int(
        subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout[1:].split(".")[0]
    )
    if major < 22:
        system = {"Linux": "linux", "Darwin": "darwin"}[platform.system()]
        machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        wanted.append(f"node-{system}-{machine}@22")
    (folder / "package.json").write_text(json.dumps({"private": True}))
    subprocess.run(["npm", "install", "--silent", *wanted], cwd=folder, check=True, capture_output=True)
    modules = folder / "node_modules"
    node = next((str(path) for path in modules.glob("node-*/bin/node")), "node")
    return [node, str(modules / "@modelcontextprotocol/conformance/dist/index.js")]


if __name__ == "__main__":
    main()
