"""What tests of the guards share: a person's computer with the approval page, and an audit log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cliniko_mcp.approvals import pin
from cliniko_mcp.guards.hash_chain import HashChain
from tests.approvals.desktop import Desktop


@pytest.fixture
def dear_pins() -> None:
    """Let a try of a PIN cost the fifth of a second that it costs those who guess."""


@pytest.fixture(autouse=True)
def cheap_pins(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "dear_pins" not in request.fixturenames:
        monkeypatch.setitem(pin._COST, "n", 2**4)


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    desktop = Desktop(tmp_path / "state")
    yield desktop
    desktop.page.close()


@pytest.fixture
def chain(tmp_path: Path) -> HashChain:
    return HashChain(tmp_path / "kept" / "audit.jsonl")
