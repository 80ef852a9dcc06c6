"""Clients that others wrote: the official TypeScript SDK and the Inspector's command line, over real stdio.

They are skipped where node or the packages are missing. NODE_CLIENTS names a folder whose node_modules hold
`@modelcontextprotocol/sdk` and `@modelcontextprotocol/inspector`; NODE_CLIENTS=install installs them into a temporary
folder with npm.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SDK, INSPECTOR = "@modelcontextprotocol/sdk", "@modelcontextprotocol/inspector"
SERVE = [sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox"]
STORY = """
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
const [command, ...args] = JSON.parse(process.argv[2]);
const asked = [];
const client = new Client({ name: "second", version: "1" }, { capabilities: { elicitation: {} } });
client.setRequestHandler(ElicitRequestSchema, async (request) => {
  asked.push(request.params.message);
  return { action: "accept", content: { approve: true } };
});
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
const call = async (name, given) => JSON.parse((await client.callTool({ name, arguments: given })).content[0].text);
const tools = (await client.listTools()).tools;
const [patient] = (await call("list_patients", { limit: 1 })).items;
const made = await call("cliniko_write", {
  operation: "create_patient", arguments: { first_name: "Otto", last_name: "Example" } });
const archived = await call("archive_patient", { id: patient.id });
const wrong = await call("get_patient", { id: "no" });
await client.close();
console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), made, archived, wrong, asked }));
"""


def major(node: str) -> int:
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version[1:].split(".")[0])


def has(folder: Path, package: str) -> bool:
    return (folder / "node_modules" / package).is_dir()


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages in its node_modules."""
    wanted = os.environ.get("NODE_CLIENTS", "")
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not wanted:
        pytest.skip("NODE_CLIENTS names no folder with the packages, and does not say install")
    if wanted != "install":
        return Path(wanted)
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--silent", f"{SDK}@1", f"{INSPECTOR}@2"]
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    if system and major("node") < 22:  # which the Inspector needs
        machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        command.append(f"node-{system}-{machine}@22")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm could not install the packages: {done.stderr.strip()[-200:]}")
    return folder


def test_the_typescript_sdk_lists_reads_writes_and_asks_its_person(modules: Path, tmp_path: Path) -> None:
    if not has(modules, SDK):
        pytest.skip(f"{SDK} is not in {modules}")
    (tmp_path / "node_modules").symlink_to(modules.resolve() / "node_modules")
    story = tmp_path / "story.mjs"
    story.write_text(STORY)
    done = subprocess.run(
        ["node", "--preserve-symlinks", "--preserve-symlinks-main", str(story), json.dumps(SERVE)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert 15 <= len(told["tools"]) <= 32
    assert told["made"]["item"]["first_name"] == "Otto"
    assert told["archived"]["done"].startswith("Archived patient")
    assert len(told["asked"]) == 1
    assert told["wrong"]["code"] == "invalid_arguments"


def inspected(node: str, launcher: Path, *flags: str) -> Any:
    command = [node, str(launcher), "--cli", *SERVE, *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_inspector_lists_and_calls_from_its_command_line(modules: Path) -> None:
    launcher = modules / "node_modules" / INSPECTOR / "clients/launcher/build/index.js"
    if not launcher.is_file():
        pytest.skip(f"{INSPECTOR} is not in {modules}")
    node = next((str(path) for path in modules.glob("node_modules/node-*/bin/node")), "node")
    if major(node) < 22:
        pytest.skip(f"the Inspector needs node 22; this is {major(node)}")
    tools = inspected(node, launcher, "--method", "tools/list")["tools"]
    assert 15 <= len(tools) <= 32
    flags = ("--method", "tools/call", "--tool-name", "list_patients", "--tool-arg", "limit=2")
    answer = inspected(node, launcher, *flags)
    assert len(json.loads(answer["content"][0]["text"])["items"]) == 2
