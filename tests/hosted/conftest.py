"""The services that hosted servers need, one of each for a module, and what clients leave behind."""

import gc
import warnings
from collections.abc import Iterator

import pytest

from tests.postgres import postgres
from tests.shared_state.conftest import redis

__all__ = ["postgres", "redis"]


@pytest.fixture(scope="module", autouse=True)
def _left_behind() -> Iterator[None]:
    """A client whose server was stopped or whose call was cut off may leave a connection to the garbage collector.

    It is collected here, or it would fail whichever test runs when it is.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
