"""A full disk: what cannot be written down is not done, reads go on, and with room again all goes on by itself."""

import sys
from pathlib import Path

import pytest

from .process import served
from .test_leaving import until

resource = pytest.importorskip("resource", reason="limits of file sizes are POSIX")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="another process's limits: Linux only")


def test_a_full_disk_stops_changes_before_they_are_sent_and_nothing_else(tmp_path: Path) -> None:
    with served(tmp_path / "audit.jsonl") as server:
        whole = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        assert "item" in server.call("create_patient", first_name="Before", last_name="Disk")
        size = server.audit.stat().st_size
        # Room for part of a line, so that also the write that stops half-way is met.
        for room in (100, 0):
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size + room, whole[1]))
            answer = server.call("create_patient", first_name="During", last_name="Disk")
            assert answer["code"] == "not_allowed"
            assert "audit log cannot be written" in answer["message"]
            assert server.call("list_practitioners")["items"]
            assert server.audit.stat().st_size == size
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, whole)
        assert "item" in server.call("create_patient", first_name="After", last_name="Disk")
        assert server.patients("Disk") == 2
        assert server.chain().verify().problem is None


def test_a_change_whose_end_finds_no_room_is_still_told_as_done(tmp_path: Path) -> None:
    with served(tmp_path / "audit.jsonl") as server:
        whole = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        server.call("create_patient", first_name="Before", last_name="Room")
        begun = next(line for line in server.written() if line["outcome"] == "begun")
        size = server.audit.stat().st_size
        # One line more, and a little, but not two.
        room = int(len(str(begun)) * 1.6)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size + room, whole[1]))
        answer = server.call("create_patient", first_name="Last", last_name="Room")
        assert answer["item"]["first_name"] == "Last"
        assert [line["outcome"] for line in server.written()][-1] == "begun"
        until(lambda: "cannot be written" in server.said, server.process)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, whole)
        server.call("list_practitioners")
        assert server.chain().verify().problem is None
        assert server.patients("Room") == 2
