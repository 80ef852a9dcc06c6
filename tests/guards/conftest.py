"""What tests of the guards share: a person's computer with the approval page, and an audit log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cliniko_mcp.guards.hash_chain import HashChain
from tests.approvals.desktop import Desktop


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    desktop = Desktop(tmp_path / "state")
    yield desktop
    desktop.page.close()


@pytest.fixture
def chain(tmp_path: Path) -> HashChain:
    return HashChain(tmp_path / "kept" / "audit.jsonl")
