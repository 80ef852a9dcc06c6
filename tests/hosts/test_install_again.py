"""Installing over an entry that is there: its limits stay, every loss is told, and old copies are named and deleted."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.previous_entry import KEPT_SETTINGS, arguments_of, previous_entry
from cliniko_mcp.hosts.table import HOSTS, Computer
from cliniko_mcp.settings import Settings
from tests.hosts.conftest import KEY, Run

CURSOR = ("--client", "cursor", "--no-key")
LIMITS = [
    ("--read-only",),
    ("--confirm", "strict"),
    ("--confirm", "block"),
    ("--exclude-tools", "archive_patient,delete_tax"),
    ("--tools", "list_patients,get_patient"),
    ("--resources", "patients"),
    ("--view", "all"),
    ("--audit-file", "/srv/log.jsonl"),
]


def entry_of(machine: Computer, name: str = "cursor") -> dict[str, object]:
    host = HOSTS[name]
    return json.loads(host.file(machine).read_text("utf-8"))[host.section]["cliniko"]


def write(machine: Computer, entry: Mapping[str, object]) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mcpServers": {"cliniko": entry}}), "utf-8")


def test_every_setting_that_is_kept_is_tried_here() -> None:
    assert {limit[0] for limit in LIMITS} == {"--" + name.replace("_", "-") for name in KEPT_SETTINGS}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_stays_without_its_flag_and_is_told_and_goes_only_with_its_no(
    limit: tuple[str, ...], run: Run, machine: Computer
) -> None:
    run(*CURSOR, *limit)
    again = run(*CURSOR, "--approval-wait", "10")
    arguments = entry_of(machine)["args"]
    assert isinstance(arguments, list) and " ".join(limit) in " ".join(map(str, arguments))
    assert f"Kept as it was: {' '.join(limit)} (to leave it out: --no-{limit[0][2:]})." in again.output
    gone = run(*CURSOR, "--approval-wait", "10", f"--no-{limit[0][2:]}")
    assert entry_of(machine)["args"] == ["serve", "--approval-wait", "10"]
    assert f"No longer set: {' '.join(limit)}." in gone.output
    assert run(*CURSOR, *limit, f"--no-{limit[0][2:]}").exit_code == 2


def test_installing_again_without_flags_changes_nothing(run: Run, machine: Computer) -> None:
    flags = [argument for limit in LIMITS if limit[-1] != "block" for argument in limit]
    run(*CURSOR, *flags)
    before = entry_of(machine)
    assert "already as it should be" in run(*CURSOR).output
    assert entry_of(machine) == before


def test_a_limit_that_is_changed_on_purpose_is_told(run: Run, machine: Computer) -> None:
    run(*CURSOR, "--confirm", "strict", "--exclude-tools", "archive_patient,delete_tax")
    result = run(*CURSOR, "--confirm", "auto", "--exclude-tools", "delete_tax")
    assert "--confirm strict is now --confirm auto." in result.output
    assert "--exclude-tools archive_patient,delete_tax is now --exclude-tools delete_tax." in result.output
    assert entry_of(machine)["args"] == ["serve", "--exclude-tools", "delete_tax", "--confirm", "auto"]


def test_a_limit_from_the_entrys_own_variables_stays_as_a_flag(run: Run, machine: Computer) -> None:
    environment = {"CLINIKO_MCP_READ_ONLY": "true", "SSL_CERT_FILE": "/etc/root.pem", "CLINIKO_API_KEY": KEY}
    write(machine, {"command": "cliniko-mcp", "args": ["serve", "--tools=list_patients"], "env": environment})
    result = run(*CURSOR)
    entry = entry_of(machine)
    assert entry["args"] == ["serve", "--tools", "list_patients", "--read-only"]
    assert entry["env"] == {"SSL_CERT_FILE": "/etc/root.pem"}
    assert "The API key is no longer in this file." in result.output and KEY not in result.output


def test_what_is_lost_is_told_also_by_print_which_changes_nothing(run: Run, machine: Computer) -> None:
    arguments = [
        "serve",
        "--allow-destroy",
        "delete_tax",
        "--upload-folder",
        "/srv/to attach",
        "--older-flag",
        "--sandbox",
    ]
    write(machine, {"command": "cliniko-mcp", "args": arguments, "disabled": True})
    before = HOSTS["cursor"].file(machine).read_bytes()
    shown = run("--client", "cursor", "--print")
    assert json.loads(shown.stdout)["mcpServers"]["cliniko"]["args"] == ["serve"]
    assert HOSTS["cursor"].file(machine).read_bytes() == before
    for output in (shown.stderr, run(*CURSOR).output):
        assert "It worked in the demo clinic (--sandbox); now it works in your own clinic." in output
        assert "--allow-destroy delete_tax" in output and "--upload-folder /srv/to attach" in output
        assert "--older-flag" in output and "No longer in the entry: disabled." in output
    assert "now it works in the demo clinic" in run(*CURSOR, "--sandbox").output


def test_another_program_under_the_same_name_is_told(run: Run, machine: Computer) -> None:
    write(machine, {"command": "npx", "args": ["-y", "another-server"]})
    assert "It started another program before: npx." in run(*CURSOR).output


@pytest.mark.parametrize("arguments", [["serve", "--confirm", "maybe"], ["serve", "--tools", "x", "--port", "y"]])
def test_an_entry_that_cannot_be_read_is_left_as_it_is(arguments: list[str], run: Run, machine: Computer) -> None:
    write(machine, {"command": "cliniko-mcp", "args": arguments})
    before = HOSTS["cursor"].file(machine).read_bytes()
    result = run(*CURSOR)
    assert isinstance(result.exception, ConfigurationError) and "--uninstall" in result.exception.fix
    assert HOSTS["cursor"].file(machine).read_bytes() == before


NAMES = st.lists(st.sampled_from(["list_patients", "get_patient", "delete_tax"]), min_size=1, unique=True).map(tuple)


@pytest.mark.long
@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            "read_only": st.just(True),
            "confirm": st.sampled_from(["strict", "block"]),
            "tools": NAMES,
            "exclude_tools": NAMES,
            "approval_wait": st.sampled_from([0.0, 2.5, 45.0]),
            "sandbox": st.just(True),
            "audit_file": st.sampled_from(["/srv/a log", "-log"]),
        },
    ),
    joined=st.booleans(),
)
def test_arguments_are_read_back_as_the_settings_that_they_were_written_from(
    values: dict[str, object], joined: bool
) -> None:
    arguments: list[str] = []
    for name, value in values.items():
        written = arguments_of(name, value)
        arguments += ["=".join(written)] if joined else written
    before = previous_entry({"command": "x", "args": ["-m", "cliniko_mcp", "serve", *arguments]})
    assert before is not None and not before.other_flags
    assert before.settings.model_dump(exclude_unset=True) == values
    usual = {name: field.default for name, field in Settings.model_fields.items()}
    assert before.kept() == {
        name: values[name] for name in values if name in KEPT_SETTINGS and values[name] != usual[name]
    }


def left(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.glob("*.bak"))


def test_uninstall_names_the_copies_and_purge_deletes_all_but_the_newest(run: Run, machine: Computer) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True)
    held = json.dumps({"mcpServers": {"cliniko": {"command": "cliniko-mcp", "env": {"CLINIKO_API_KEY": KEY}}}})
    made = {"20250101-090000": held, "20250101-090000-2": "{}", "20250101-090000-10": "{}"}
    for stamp, text in made.items():
        path.with_name(f"mcp.json.{stamp}.bak").write_text(text, "utf-8")
    foreign = path.with_name("mcp.json.mine.bak"), path.with_name("other.json.20250101-090000.bak")
    for file in foreign:
        file.write_text("{}", "utf-8")
    path.write_text(json.dumps({"mcpServers": {"cliniko": {"command": "cliniko-mcp", "args": ["serve"]}}}), "utf-8")
    result = run("--client", "cursor", "--uninstall")
    assert result.exit_code == 0 and "--purge" in result.output and KEY not in result.output
    assert all(f"mcp.json.{stamp}.bak" in result.output for stamp in made)
    assert "mcp.json.20250101-090000.bak (holds an API key)" in result.output and "mine" not in result.output
    before = left(path)
    assert "Would be deleted" in run("--client", "cursor", "--uninstall", "--purge", "--print").output
    assert left(path) == before
    assert (
        "Deleted, older copies of the configuration: 3." in run("--client", "cursor", "--uninstall", "--purge").output
    )
    kept = set(before) - {f"mcp.json.{stamp}.bak" for stamp in made}
    assert set(left(path)) == kept and len(kept) == 3
    assert "Deleted" not in run("--client", "cursor", "--uninstall", "--purge").output


def test_copies_of_one_second_are_in_their_order(run: Run, machine: Computer) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True)
    for number in ("", "-9", "-10"):
        path.with_name(f"mcp.json.20250101-090000{number}.bak").write_text("{}", "utf-8")
    run("--client", "cursor", "--uninstall", "--purge")
    assert left(path) == ["mcp.json.20250101-090000-10.bak"]


def test_purge_alone_is_refused(run: Run) -> None:
    assert run("--client", "cursor", "--purge").exit_code == 2
