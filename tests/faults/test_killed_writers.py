"""Processes killed while they write: the audit log stays one whole chain, an export goes on where it stopped."""

import csv
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cliniko_mcp.guards.hash_chain import HashChain

resource = pytest.importorskip("resource", reason="signals and limits of file sizes are POSIX")

# A process that loops without a pause has the lock nearly all the time, and runs ahead as far as a pipe goes: so the
# other one waits for longer than usual, and no segment of the log is deleted while its lines are still to be looked
# for.
WRITER = """
import sys
from pathlib import Path
from cliniko_mcp import private_files
from cliniko_mcp.guards.hash_chain import HashChain
private_files._PATIENCE = 60
chain = HashChain(Path(sys.argv[1]), segment_bytes=60_000, max_segments=500)
number = 0
while True:
    number += 1
    line = chain.append({"who": sys.argv[2], "number": number, "pad": "x" * (number % 300)})
    print(line, flush=True)
"""


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
def test_writers_killed_at_any_moment_lose_no_line_that_was_promised_and_break_nothing(
    tmp_path: Path, how: signal.Signals
) -> None:
    path = tmp_path / "audit.jsonl"
    dice = random.Random(how)
    promised: list[int] = []
    for round_ in range(3):
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(path), f"{round_}.{number}"], stdout=subprocess.PIPE)
            for number in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            promised += [int(writer.stdout.readline()) for _ in range(dice.randrange(20, 200))]
            writer.send_signal(how)
            with writer.stdout as rest:
                promised += [int(line) for line in rest.read().split(b"\n")[:-1]]
            writer.wait()
    chain = HashChain(path, segment_bytes=60_000, max_segments=500)
    # The next writer repairs what the last one left half-done.
    last = chain.append({"who": "after"})
    checked = chain.verify()
    assert checked.problem is None
    kept = {int(str(entry["n"])) for entry in chain.entries()}
    assert set(promised) <= kept
    assert len(promised) == len(set(promised))
    assert max(kept) == last


EXPORT = (sys.executable, "-m", "cliniko_mcp", "export", "patients", "--sandbox", "--rate-limit", "0")
EXPORT_ALL = (*EXPORT, "--requests-per-minute", "60000", "--fields", "id,last_name")
STILL = ("--sandbox-now", "2026-11-24T09:00:00+11:00", "--sandbox-clock", "frozen")
KILL_AT = """
import os, signal, sys
import cliniko_mcp.export as export
real = export.Unfinished.write
def write(self, record, *more):
    real(self, record, *more)
    if self.rows == int(os.environ["KILL_AT"]):
        if os.environ["KILL_BY"] == "full":
            import resource
            self._file.flush()
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._file.tell() + 10, -1))
        else:
            os.kill(os.getpid(), int(os.environ["KILL_BY"]))
export.Unfinished.write = write
from cliniko_mcp.cli import main
main()
"""


def exported(out: Path) -> list[str]:
    with out.open(newline="") as file:
        return [row["id"] for row in csv.DictReader(file)]


def run(out: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    program = ["-c", KILL_AT] if environ else ["-m", "cliniko_mcp"]
    command = [sys.executable, *program, *EXPORT_ALL[3:], *STILL, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environ, timeout=300, check=False)


@pytest.mark.long
def test_an_export_that_was_killed_or_ran_out_of_disk_goes_on_and_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole = tmp_path / "whole.csv"
    assert run(whole).returncode == 0
    expected = exported(whole)
    assert len(expected) > 560
    assert len(set(expected)) == len(expected)

    out = tmp_path / "broken.csv"
    killed = run(out, KILL_AT="130", KILL_BY=str(int(signal.SIGKILL)))
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()

    # Past the first note of how far the file is good: what was noted is kept, what came after it is read again.
    killed = run(out, KILL_AT="560", KILL_BY=str(int(signal.SIGKILL)))
    assert killed.returncode == -signal.SIGKILL
    assert "kept" not in killed.stderr
    assert not out.exists()

    # Whatever stands behind the place that was noted is none of the next run's.
    with out.with_name(f"{out.name}.part").open("ab") as part:
        part.write(b"1,torn\r\n" * 1_000)
    stopped = run(out, KILL_AT="550", KILL_BY=str(int(signal.SIGTERM)))
    assert stopped.returncode != 0
    assert "500 rows are kept from an earlier run" in stopped.stderr
    assert not out.exists()

    full = run(out, KILL_AT="570", KILL_BY="full")
    assert full.returncode == 1
    assert not out.exists()
    assert "Traceback" not in full.stderr
    assert "500 rows are kept in" in full.stderr
    assert "large" in full.stderr.lower() or "space" in full.stderr.lower()

    done = run(out)
    assert done.returncode == 0, done.stderr
    assert f"{len(expected)} rows in {out}, 500 of them by an earlier run" in done.stdout
    assert exported(out) == expected
    assert out.read_bytes() == whole.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []
