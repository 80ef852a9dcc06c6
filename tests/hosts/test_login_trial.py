"""A key is tried before it is kept: whose it is, that it could not be tried, or that Cliniko refuses it."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from cliniko_mcp.cli.login import login
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.table import Computer, System
from tests.hosts.conftest import KEY, MEI, Answer, Run, northside

LOGIN = ("--key-stdin", "--email", "desk@clinic.example")
Serve = Callable[[Answer], list[httpx2.Request]]


@pytest.fixture
def system() -> System:
    return "linux"


@pytest.fixture
def serve(run: Run, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Puts answers in place of the network; returns the list into which the requests go."""

    def use(answer: Answer) -> list[httpx2.Request]:
        seen: list[httpx2.Request] = []

        def handle(request: httpx2.Request) -> httpx2.Response:
            seen.append(request)
            return answer(request)

        monkeypatch.setattr("cliniko_mcp.client.transport.Network", lambda: httpx2.MockTransport(handle))
        return seen

    return use


def unreachable(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("no route", request=request)


def refused(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(401, json={})


def test_it_says_whose_key_it_is_and_what_it_may_read(run: Run, serve: Serve) -> None:
    seen = serve(northside)
    result = run(*LOGIN, typed=KEY, of=login)
    assert result.exit_code == 0, result.output
    assert "Connected to Northside as Mei Ng, practitioner; may read settings: no.\n" in result.output
    assert {request.method for request in seen} == {"GET"} and len(seen) == 3
    assert {request.url.host for request in seen} == {"api.au2.cliniko.com"}


def test_a_user_who_may_read_settings_is_told_so_with_two_reads(run: Run, serve: Serve) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/settings":
            return httpx2.Response(200, json={"account": {"name": "Northside"}})
        return northside(request)

    seen = serve(answer)
    assert (
        "Connected to Northside as Mei Ng, practitioner; may read settings: yes."
        in run(*LOGIN, typed=KEY, of=login).output
    )
    assert len(seen) == 2


def test_what_cannot_be_read_of_the_clinic_is_left_out(run: Run, serve: Serve) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        inactive = {**MEI, "first_name": None, "last_name": None, "role": None, "active": False}
        return httpx2.Response(200, json=inactive) if request.url.path == "/v1/user" else httpx2.Response(403, json={})

    serve(answer)
    shown = run(*LOGIN, typed=KEY, of=login).output
    words = "Connected to Cliniko as a user without a name, role unknown, who is not active; may read settings: no."
    assert words in shown


def test_a_key_that_cliniko_refuses_is_not_kept_unless_told(run: Run, home: Path, serve: Serve) -> None:
    seen = serve(refused)
    problem = run(*LOGIN, typed=KEY, of=login).exception
    assert isinstance(problem, ConfigurationError) and "did not accept the key" in problem.message
    assert "--unchecked" in problem.fix and KEY not in str(problem)
    assert list(home.iterdir()) == []
    asked = len(seen)
    result = run(*LOGIN, "--unchecked", typed=KEY, of=login)
    assert result.exit_code == 0 and "was not tried" in result.output
    assert (home / "kept" / "account.json").exists() and len(seen) == asked


def test_a_refused_key_leaves_the_one_that_is_kept(run: Run, home: Path, serve: Serve) -> None:
    serve(northside)
    run(*LOGIN, typed=KEY, of=login)
    before = (home / "kept" / "account.json").read_bytes()
    serve(refused)
    assert isinstance(run(*LOGIN, typed="other-uk1", of=login).exception, ConfigurationError)
    assert (home / "kept" / "account.json").read_bytes() == before


@pytest.mark.parametrize("more", [(), ("--key-in-config",)])
def test_install_tries_a_new_key_too_and_writes_nothing_with_a_refused_one(
    more: tuple[str, ...], run: Run, home: Path, machine: Computer, serve: Serve
) -> None:
    arguments = ("--client", "cursor", *LOGIN, *more)
    serve(refused)
    assert isinstance(run(*arguments, typed=KEY).exception, ConfigurationError)
    assert list(home.iterdir()) == []
    serve(northside)
    assert "Connected to Northside" in run(*arguments, typed=KEY).output


def test_install_with_the_kept_key_asks_cliniko_nothing(run: Run, serve: Serve) -> None:
    run(*LOGIN, typed=KEY, of=login)
    seen = serve(refused)
    assert run("--client", "cursor").exit_code == 0 and seen == []


@pytest.mark.long
def test_offline_the_key_is_kept_and_said_to_be_untried(run: Run, home: Path, serve: Serve) -> None:
    serve(unreachable)
    result = run(*LOGIN, typed=KEY, of=login)
    assert result.exit_code == 0 and "The key could not be tried: " in result.output
    assert "Next: cliniko-mcp doctor" in result.output and (home / "kept" / "account.json").exists()


def test_where_another_address_is_set_the_key_is_not_sent_and_said_to_be_untried(
    run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = serve(northside)
    monkeypatch.setenv("CLINIKO_MCP_BASE_URL", "http://127.0.0.1:9/v1")
    result = run(*LOGIN, typed=KEY, of=login)
    assert result.exit_code == 0 and "was not tried: CLINIKO_MCP_BASE_URL" in result.output and seen == []


def test_names_from_cliniko_reach_the_terminal_without_escape_codes(run: Run, serve: Serve) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/user":
            return httpx2.Response(200, json={**MEI, "first_name": f"\x1b[2J{KEY}\u202e"})
        return northside(request)

    serve(answer)
    shown = run(*LOGIN, typed=KEY, of=login).output
    assert "Connected to Northside" in shown and "\x1b" not in shown and "\u202e" not in shown and KEY not in shown
