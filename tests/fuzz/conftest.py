"""Fuzzing needs many clinics."""

from collections.abc import Iterator

import pytest

from tests.faults.seedling import sown_once


@pytest.fixture(autouse=True, scope="session")
def one_seed() -> Iterator[None]:
    with sown_once():
        yield
