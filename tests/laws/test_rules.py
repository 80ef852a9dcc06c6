"""The demo clinic's rules name operations and resources by text, as routes do: each of them exists."""

from cliniko_mcp.cliniko.registry import RESOURCES, operations
from cliniko_mcp.sandbox.legacy_routes import LEGACY, hidden_lists
from cliniko_mcp.sandbox.newer_routes import NEWER
from cliniko_mcp.sandbox.rules import all_rules
from tests.laws.violations import assert_none


def test_a_rule_is_about_a_resource_or_an_operation_that_exists():
    book = all_rules()
    routed = [*operations().values(), *LEGACY, *hidden_lists(), *NEWER]
    named = {*book.responders, *book.row_sources}
    about = {resource for resource, _ in book.rules} | {*book.serialisers}

    assert_none(f"no route is called {name}" for name in named - {operation.name for operation in routed})
    assert_none(f"no resource is called {name}" for name in about - {*RESOURCES})
