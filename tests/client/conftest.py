"""What the tests of the client share."""

from typing import Any

import pytest

from .gate import Gate, Limited, Upstream


@pytest.fixture
def limited() -> Limited:
    """A gate of so many requests a minute, and what lies behind it: `limited(10, latency=0)`."""

    def build(per_minute: int, **behind: Any) -> tuple[Gate, Upstream]:
        upstream = Upstream(**behind)
        return Gate(per_minute, upstream), upstream

    return build
