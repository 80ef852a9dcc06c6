"""Curated tools for what a front desk really does: one file each, named like the tool, which it holds as `tool`."""

from typing import Final

NAMES: Final[tuple[str, ...]] = ()
"""The curated tools, in the order in which lists show them."""
