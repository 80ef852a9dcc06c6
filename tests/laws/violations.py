"""How a law speaks: every violation at once, one a line, instead of a case for everything that it looks at."""

from collections.abc import Iterable


def assert_none(violations: Iterable[str]) -> None:
    """Fail with all of them, sorted, where there are any."""
    found = sorted({*violations})
    assert not found, "\n" + "\n".join(found)
