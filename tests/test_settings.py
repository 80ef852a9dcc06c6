"""What the operator decides is what is in force: nothing misspelt is passed over, nothing is inferred."""

import logging
from datetime import datetime

import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.settings import Settings, variable

KUBERNETES = {
    "CLINIKO_MCP_SERVICE_HOST": "10.96.0.12",
    "CLINIKO_MCP_SERVICE_PORT": "8000",
    "CLINIKO_MCP_SERVICE_PORT_HTTP": "8000",
    "CLINIKO_MCP_PORT": "tcp://10.96.0.12:8000",
    "CLINIKO_MCP_PORT_8000_TCP": "tcp://10.96.0.12:8000",
    "CLINIKO_MCP_PORT_8000_TCP_PROTO": "tcp",
    "CLINIKO_MCP_PORT_8000_TCP_PORT": "8000",
    "CLINIKO_MCP_PORT_8000_TCP_ADDR": "10.96.0.12",
    "CLINIKO_MCP_WEB_SERVICE_HOST": "fd00:10:96::5c4e",
    "CLINIKO_MCP_WEB_PORT": "udp://[fd00:10:96::5c4e]:53",
}
"""As a pod finds them in which services called cliniko-mcp and cliniko-mcp-web can be reached."""
LOCAL = "http://127.0.0.1:9000/v1"


def test_every_setting_is_read_from_its_variable():
    assert Settings.load({}, {"CLINIKO_MCP_READ_ONLY": "1", "CLINIKO_MCP_PORT": " 9000 "}).port == 9000
    assert {variable(name) for name in Settings.model_fields} >= {"CLINIKO_API_KEY", "CLINIKO_MCP_READ_ONLY"}


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("CLINIKO_MCP_READONLY", "CLINIKO_MCP_READ_ONLY"),
        ("CLINIKO_MCP_EXCLUDED_TOOLS", "CLINIKO_MCP_EXCLUDE_TOOLS"),
        ("CLINIKO_MCP_API_KEY", "CLINIKO_API_KEY"),
        ("CLINIKO_MCP_CONFIRMS", "CLINIKO_MCP_CONFIRM"),
        ("cliniko_mcp_read_only", "CLINIKO_MCP_READ_ONLY"),
        ("CLINIKO_MCP_", "--help"),
        ("CLINIKO_MCP_ZEBRA", "--help"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused_with_the_nearest_one(misspelt: str, meant: str):
    with pytest.raises(ConfigurationError) as refused:
        Settings.load({"sandbox": True}, {misspelt: "secret value"})

    assert misspelt in refused.value.message
    assert meant in refused.value.message
    assert "secret" not in refused.value.message


def test_all_variables_that_are_no_settings_are_named_at_once():
    with pytest.raises(ConfigurationError, match=r"CLINIKO_MCP_READONLY.*CLINIKO_MCP_VIEWS"):
        Settings.load({}, {"CLINIKO_MCP_VIEWS": "all", "CLINIKO_MCP_READONLY": "1"})


def test_a_blank_variable_and_a_placeholder_count_as_unset_whatever_they_are_called():
    left_blank = {"CLINIKO_MCP_READ_ONLY": "${user_config.read_only}", "CLINIKO_MCP_OLD": " ", "CLINIKO_MCP_X": "${x}"}

    assert Settings.load({}, left_blank) == Settings()


def test_variables_of_other_programs_are_none_of_ours():
    assert Settings.load({}, {"CLINIKO_OPENAPI": "openapi.yaml", "MCP_READONLY": "1", "PATH": "/bin"}) == Settings()


def test_what_kubernetes_sets_for_a_service_of_that_name_is_passed_over_and_said(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        settings = Settings.load({}, KUBERNETES | {"CLINIKO_MCP_READ_ONLY": "true"})

    assert settings == Settings(read_only=True)
    [line] = caplog.messages
    assert line.startswith(f"{len(KUBERNETES)} environment variables that Kubernetes made")
    assert "10.96" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLINIKO_MCP_HTTP_PORT", "8000"),
        ("CLINIKO_MCP_SERVICE_HOST", "everywhere"),
        ("CLINIKO_MCP_SERVICE_PORT", "tcp"),
        ("CLINIKO_MCP_PORT_8000", "tcp://10.96.0.12:8000"),
    ],
)
def test_what_only_looks_like_a_variable_of_kubernetes_is_refused(name: str, value: str):
    with pytest.raises(ConfigurationError, match=f"{name} is not a setting"):
        Settings.load({}, {name: value})


def test_nothing_is_said_where_nothing_is_passed_over(caplog: pytest.LogCaptureFixture):
    Settings.load({}, {"CLINIKO_MCP_PORT": "8000"})

    assert not caplog.messages


def test_an_address_on_this_computer_is_not_taken_for_a_demo_clinic():
    settings = Settings.load({"base_url": LOCAL, "requests_per_minute": 500}, {})

    assert not settings.demo
    assert settings.pace == 200
    assert Settings.load({"sandbox": True, "requests_per_minute": 500}, {}).pace == 500


def test_a_clock_start_holds_only_beside_a_clinic_on_this_computer():
    start = "2026-11-24T09:00+11:00"

    assert Settings.load({"base_url": LOCAL, "sandbox_now": start}, {}).clock_start == datetime.fromisoformat(start)
    assert Settings.load({"sandbox_now": start}, {}).clock_start is None
    assert Settings.load({"base_url": "https://proxy.example/v1", "sandbox_now": start}, {}).clock_start is None
