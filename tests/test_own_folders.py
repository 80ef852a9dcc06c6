"""What the suite keeps is its own: no test meets the state of this computer's user, nor that of another test."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def shared() -> Path:
    """Where something that several tests share keeps its state."""
    return Path(os.environ["XDG_STATE_HOME"])


def test_a_test_and_what_it_shares_keep_their_state_in_folders_of_the_suite(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = Path(os.environ["XDG_STATE_HOME"])
    suite = tmp_path_factory.getbasetemp()
    assert suite in own.parents and suite in shared.parents
    assert own != shared and Path.home() == own
