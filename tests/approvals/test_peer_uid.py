"""The approval page answers programs of its own user only, however they connect."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cliniko_mcp.approvals import peer_uid
from tests.approvals.desktop import Desktop

TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   2: 0100007F:C350 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     77777        0 2
   7: 0100007F:1F91 0100007F:C354 01 00000000:00000000 00:00000000 00000000     77777        0 2
   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     {own}        0 1
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     {peer}        0 2
   3: 0200007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     {other}        0 2
   4: 0100007F:1F90 0100007F:C352 01 00000000:00000000 00:00000000 00000000     {own}        0 2
   5: 0100007F:C356 0100007F:1F90 01 cut off too
   6: 0100007F:C357 0100007F:1F90 01 00000000:00000000 00:00000000 00000000
"""
MAPPED = """  sl  local_address                         remote_address                        st and so on
   0: 0000000000000000FFFF00000100007F:C353 0000000000000000FFFF00000100007F:1F90 01 0:0 0:0 0 {peer}
"""


@pytest.mark.skipif(sys.platform != "linux" or sys.byteorder != "little", reason="as Linux writes it here")
def test_the_program_of_another_user_is_foreign(tmp_path: Path) -> None:
    tables, mine = (tmp_path / "tcp", tmp_path / "tcp6"), os.geteuid()

    def told(own: int, peer: int, other: int) -> None:
        tables[0].write_text(TABLE.format(own=own, peer=peer, other=other))
        tables[1].write_text(MAPPED.format(peer=peer))

    def foreign(port: int, address: str = "127.0.0.1") -> bool:
        return peer_uid.is_foreign((address, port), 0x1F90, tables)

    told(own=mine, peer=mine + 1, other=mine)
    assert foreign(0xC350) and foreign(0xC353)
    assert not foreign(0xC350, "127.0.0.2")
    told(own=mine + 1, peer=mine, other=mine + 1)
    assert not foreign(0xC350) and not foreign(0xC353)
    assert foreign(0xC350, "127.0.0.2")
    # Nothing is told of the first two; of the third only our own end.
    assert not foreign(0xC351) and not foreign(0xC354) and foreign(0xC352)
    tables[0].unlink()
    assert not foreign(0xC350) and not foreign(0xC353)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whose a connection is")
@pytest.mark.parametrize("way", ["plain", "from another loopback address", "through IPv6"])
@pytest.mark.parametrize("user", ["the same", "another"])
def test_a_program_is_told_by_its_user_however_it_connects(desktop: Desktop, way: str, user: str) -> None:
    if user == "another" and os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    desktop.start()
    program = [sys.executable, "-I", "-c", VISITOR, way, user, desktop.origin.rpartition(":")[2], desktop.path]
    ran = subprocess.run(program, capture_output=True, text=True, check=True)
    if ran.stdout.strip() == "no IPv6":
        pytest.skip("this computer has no IPv6")
    assert ran.stdout.strip() == ("403" if user == "another" else "200")


VISITOR = """
import os, socket, sys
way, user, port, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
if user == "another":
    os.setuid(65534)
if way == "through IPv6":
    try:
        visit = socket.socket(socket.AF_INET6)
        visit.connect(("::ffff:127.0.0.1", port))
    except OSError:
        sys.exit(print("no IPv6"))
else:
    visit = socket.socket()
    visit.bind(("127.0.0.1" if way == "plain" else "127.0.0.2", 0))
    visit.connect(("127.0.0.1", port))
visit.sendall(f"GET {path} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n".encode())
print(visit.recv(20).split()[1].decode())
"""


def test_a_foreign_program_is_refused(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    from cliniko_mcp.approvals import page

    desktop.ask()
    desktop.start()
    monkeypatch.setattr(page, "is_foreign", lambda *_: True)
    assert desktop.visit("GET", desktop.path)[0].status == 403
