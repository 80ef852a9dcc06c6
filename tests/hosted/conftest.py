"""The services that hosted servers need, one of each for a module."""

from tests.postgres import postgres
from tests.shared_state.conftest import redis

__all__ = ["postgres", "redis"]
