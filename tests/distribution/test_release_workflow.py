"""The release workflow: nothing is published before it was refused or found ready, and no job may more than it does."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cliniko_mcp import __version__
from cliniko_mcp.manifest import project_root
from cliniko_mcp.published import repository

ROOT = project_root()
TEXT = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
RELEASE: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, dict[str, Any]] = RELEASE["jobs"]
PUBLISHING = ("pypi", "github", "registry")


def before(job: str) -> set[str]:
    """The jobs that have to succeed before this one."""
    needs = JOBS[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else {*needs}
    return direct.union(*map(before, direct))


def commands(job: str) -> str:
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def test_nothing_is_published_that_was_not_checked_built_and_tried() -> None:
    for job in PUBLISHING:
        assert {"ready", "build", "image"} <= before(job)
        assert JOBS[job]["if"] == "github.event_name == 'push'"
    lines = [line.strip() for line in commands("ready").splitlines()]
    order = [
        lines.index(line) for line in ("cliniko-mcp manifest --release", "cliniko-mcp manifest --check", ".ci/run")
    ]
    assert order == sorted(order)
    [image] = [step for step in JOBS["image"]["steps"] if "build-push" in step.get("uses", "")]
    assert image["with"]["push"] == "${{ github.event_name == 'push' }}"
    assert image["with"]["platforms"] == "linux/amd64,linux/arm64"
    assert image["with"]["sbom"] is True and image["with"]["provenance"] == "mode=max"


def test_no_job_may_do_more_than_it_has_to() -> None:
    assert RELEASE["permissions"] == {"contents": "read"}
    writes = {
        job: {name for name, may in body.get("permissions", {}).items() if may == "write"} for job, body in JOBS.items()
    }
    assert writes == {
        "ready": set(),
        "build": {"id-token", "attestations"},
        "image": {"packages", "id-token", "attestations"},
        "pypi": {"id-token"},
        "github": {"contents"},
        "registry": {"id-token"},
    }
    assert set(re.findall(r"secrets\.(\w+)", TEXT)) == {"GITHUB_TOKEN"}


@pytest.mark.parametrize("name", ["release.yml", "ci.yml"])
def test_every_action_has_its_major_version(name: str) -> None:
    used = re.findall(r"uses: (\S+)", (ROOT / ".github" / "workflows" / name).read_text("utf-8"))
    assert used and all(re.fullmatch(r"[\w./-]+@(release/)?v\d+", action) for action in used)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="the workflow runs on Linux")
@pytest.mark.parametrize(
    ("tag", "address", "passes"),
    [
        (f"v{__version__}", repository(ROOT), True),
        ("v9.9.9", repository(ROOT), False),
        (f"v{__version__}", "https://github.com/somebody/cliniko-mcp", False),
    ],
)
def test_another_tag_or_repository_than_the_projects_own_is_refused(tag: str, address: str, passes: bool) -> None:
    [step] = [step for step in JOBS["ready"]["steps"] if "GITHUB_REF_NAME" in step.get("run", "")]
    server, _, name = address.rpartition("/cliniko-mcp")[0].rpartition("/")
    environment = {
        "GITHUB_REF_NAME": tag,
        "GITHUB_SERVER_URL": server,
        "GITHUB_REPOSITORY": f"{name}/cliniko-mcp",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, cwd=ROOT, capture_output=True)
    assert (done.returncode == 0) is passes, done.stderr
