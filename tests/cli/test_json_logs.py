"""A log of JSON: an object a line, with whose request it is about and without anybody's name."""

import asyncio
import logging
import re

import pytest

from cliniko_mcp.cli.json_logs import ANNOUNCED
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.settings import Settings, open_telemetry
from cliniko_mcp.telemetry.current import CURRENT, Facts
from tests.telemetry.stage import json_log


def test_a_line_is_an_object_with_the_time_in_utc_and_the_request_that_it_is_about() -> None:
    with json_log() as log:
        before = CURRENT.set(Facts("0123abcd", "north", "f" * 16, "e" * 32))
        logging.getLogger("cliniko_mcp.some").warning("the key of %s\nis refused", "north")
        CURRENT.reset(before)
        logging.getLogger("cliniko_mcp.some").error("nobody's")
    first, second = log.objects
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {
        "level": "WARNING",
        "logger": "cliniko_mcp.some",
        "message": "the key of north is refused",
        "request": "0123abcd",
        "clinic": "north",
        "person": "f" * 16,
        "trace": "e" * 32,
    }
    assert {*second} == {"time", "level", "logger", "message"}


def test_of_other_libraries_the_sentence_is_kept_and_not_what_they_put_into_it() -> None:
    with json_log() as log:
        logging.getLogger("mcp.server").warning("dropped %r: malformed params", "Ana Lima")
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: ValueError('Ana Lima')")
        try:
            raise ValueError("Ana Lima")
        except ValueError:
            logging.getLogger("mcp.server").exception("handler for %r raised", "Ana Lima")
    assert "Ana" not in log.text
    assert [line["message"] for line in log.objects] == [
        "dropped %r: malformed params",
        "Task exception was never retrieved",
        "handler for %r raised",
    ]
    assert "ValueError > " in log.objects[2]["exception"][0]


def test_what_the_operator_is_told_at_a_start_keeps_its_addresses() -> None:
    with json_log() as log:
        ANNOUNCED.warning("%s", "listening on http://192.168.100.100:8000/mcp")
    assert log.objects[0]["message"] == "listening on http://192.168.100.100:8000/mcp"


def test_requests_at_the_same_time_are_told_apart() -> None:
    async def one(name: str) -> None:
        CURRENT.set(Facts(name))
        await asyncio.sleep(0)
        logging.getLogger("cliniko_mcp.some").warning(name)

    async def both() -> None:
        await asyncio.gather(one("first"), one("second"))

    with json_log() as log:
        asyncio.run(both())
    assert [(line["request"], line["message"]) for line in log.objects] == [("first", "first"), ("second", "second")]


def test_stdio_has_no_log_of_json() -> None:
    with pytest.raises(ConfigurationError, match="for http and sse"):
        Settings.load({"log_format": "json", "sandbox": True}, {})


@pytest.mark.parametrize(
    ("environ", "sends"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "north"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_traces_are_sent_where_a_collector_is_named(environ: dict[str, str], sends: bool) -> None:
    assert open_telemetry(environ) is sends
    Settings.load({"sandbox": True}, environ)
