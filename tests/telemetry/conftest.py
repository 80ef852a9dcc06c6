"""The services that watched servers need, one of each for a module."""

from tests.shared_state.conftest import redis

__all__ = ["redis"]
