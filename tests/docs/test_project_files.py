"""What stands around the code says the same everywhere: the hooks, the pipeline, the templates, the instructions."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
COMMANDS = dict(re.findall(r"^\| (fmt|check|test|manifest) \| `([^`]+)` \|", PAGE, re.MULTILINE))
FOLDER = ROOT / ".github"
TEMPLATES = sorted([FOLDER / "pull_request_template.md", *FOLDER.glob("ISSUE_TEMPLATE/[!c]*.yml")])


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def test_the_hooks_run_the_commands_of_the_instructions() -> None:
    (local,) = loaded(ROOT / ".pre-commit-config.yaml")["repos"]
    hooks = {hook["id"]: re.sub(r"^bash -c '(.*)'$", r"\1", hook["entry"]) for hook in local["hooks"]}

    assert local["repo"] == "local"
    assert hooks == {name: COMMANDS[name] for name in ("fmt", "check", "manifest")}


def test_what_has_to_pass_before_a_change_lands_is_what_the_instructions_check() -> None:
    steps = (ROOT / ".ci" / "run").read_text("utf-8").replace(".venv/bin/", "").replace(" --no-logo", "").splitlines()

    places = [steps.index(step) for step in [*COMMANDS["check"].split(" && "), "cliniko-mcp manifest --check"]]
    assert places == sorted(places)


def test_the_pipeline_runs_it_and_the_units_where_the_rest_cannot_run() -> None:
    jobs = loaded(FOLDER / "workflows" / "ci.yml")["jobs"]
    steps = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}

    assert steps["everything"] == [".ci/run"]
    assert {system.partition("-")[0] for system in jobs["units"]["strategy"]["matrix"]["os"]} == {"windows", "macos"}
    folders = steps["units"][-1].split()[3:]
    assert folders == [f"tests/{name}" for name in ("cliniko", "client", "phrases", "frontdesk")]
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_dependencies_are_looked_after_where_they_are_declared() -> None:
    updates = loaded(FOLDER / "dependabot.yml")["updates"]

    assert {update["package-ecosystem"] for update in updates} == {"pip", "github-actions", "docker"}
    assert all((ROOT / update["directory"].lstrip("/")).is_dir() for update in updates)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_warns_once_never_to_paste_what_is_a_patient_s(path: Path) -> None:
    assert path.read_text("utf-8").count("Never paste patient data") == 1
