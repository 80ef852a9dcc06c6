"""What all tests share: a state folder of their own, and clients connected to a server on the demo clinic."""

import gc
import itertools
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import mcp.client.session
import mcp_types as types
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from cliniko_mcp.app import App, open_app
from cliniko_mcp.guards.parts import Parts
from cliniko_mcp.protocol.server import build_server
from cliniko_mcp.settings import Settings
from tests import warm

# The processes that tests start are compiled once, as on anybody's computer, not each for itself; and so are the tests,
# which pytest takes apart and puts together for ten seconds of each worker where it may not keep what came out.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Tests leave rows behind by the thousand; walking all that lives for every 700 of them took a tenth of the time.
gc.set_threshold(50_000, 20, 20)

# The servers that tests start on this computer are reached directly, whatever proxy the environment names.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

# No test looks into this computer's keychain.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

# The client's limit of ten seconds for the first answer counts the start of the server's process.
mcp.client.session.DISCOVER_TIMEOUT_SECONDS = 300.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live", action="store_true", help="also read the real account that CLINIKO_API_KEY opens")


def pytest_configure(config: pytest.Config) -> None:
    """The same examples in every run, unless --hypothesis-seed or FUZZ_EXAMPLES asks for others.

    How long an example takes says more of the machine than of the code.
    """
    slow = [hypothesis.HealthCheck.too_slow]
    same = config.getoption("--hypothesis-seed") is None and "FUZZ_EXAMPLES" not in os.environ
    hypothesis.settings.register_profile("suite", deadline=None, derandomize=same, suppress_health_check=slow)
    hypothesis.settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)  # before pytest looks who is marked `long`
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seen: set[str] = set()
    for item in items:
        if "long_but_one" in item.keywords:
            function = item.nodeid.partition("[")[0]
            if function in seen:
                item.add_marker("long")
            seen.add(function)
    if not config.getoption("--live"):
        for item in items:
            if "live" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="reads a real account: give --live and a key"))


NOW = "2026-11-24T09:00:00+11:00"
"""A Tuesday morning at Northside."""


def move(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let this folder be the user's, with all that is kept there."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"):
        patch.setenv(name, str(folder))


@pytest.fixture(scope="session", autouse=True)
def nobody_s_computer(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """No test, and nothing that tests share, reads or writes what this computer's user has set or kept."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [
            name for name in os.environ if name.startswith(("CLINIKO_MCP_", "CLINIKO_API", "CLINIKO_CONTACT"))
        ]:
            patch.delenv(name)
        move(patch, tmp_path_factory.mktemp("shared"))
        yield
    warm.end()


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder after another; pytest's own would look through all the earlier ones for the next number."""
    folder = tmp_path_factory.mktemp("states")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def state_of_its_own(states: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what another one kept."""
    folder = next(states)
    folder.mkdir()
    move(monkeypatch, folder)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


Answer = Callable[[str], dict[str, Any]]
"""What a person says to a question: an elicitation result as JSON."""


def says(**result: Any) -> Answer:
    return lambda _: result


YES = says(action="accept", content={"approve": True})
UNTICKED = says(action="accept", content={"approve": False})
DECLINE = says(action="decline")
CANCEL = says(action="cancel")


@dataclass
class Assistant:
    """An MCP client at work, with what it was asked and, in process, the app behind the server."""

    client: Client
    asked: list[str]
    app: App | None = None

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """The answer's JSON; text and structured content must say the same."""
        result = await self.client.call_tool(name, arguments)
        body: dict[str, Any] = json.loads(result.content[0].text)  # pyright: ignore[reportAttributeAccessIssue]
        assert result.structured_content in (None, body)
        assert bool(result.is_error) == ("code" in body)
        return body

    async def rows(self, name: str, /, **arguments: Any) -> list[dict[str, Any]]:
        return (await self.call(name, **arguments))["items"]

    async def first(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        return (await self.rows(name, **arguments))[0]

    def changes(self) -> list[str]:
        """The requests that reached the demo clinic and could change it, as `METHOD path`."""
        assert self.app is not None
        seen = self.app.sandbox.requests
        return [f"{request.method} {request.path}" for request in seen if request.method != "GET"]


def callback_for(answer: Answer, asked: list[str]) -> Any:
    async def callback(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        asked.append(params.message)
        return types.ElicitResult.model_validate(answer(params.message))

    return callback


@asynccontextmanager
async def in_process(
    *, mode: str = "auto", answer: Answer | None = None, parts: Parts | None = None, **settings: Any
) -> AsyncGenerator[Assistant]:
    """A client connected in memory; `settings` are those of the server, the demo clinic's clock stands at NOW."""
    defaults = {
        "sandbox": True,
        "sandbox_now": NOW,
        "sandbox_clock": "frozen",
        "rate_limit": 0,
        "requests_per_minute": 60_000,
    }
    asked: list[str] = []
    callback = callback_for(answer, asked) if answer else None
    async with open_app(Settings.load(defaults | settings, {}), parts) as app:
        server = build_server(app)
        async with Client(server, mode=mode, elicitation_callback=callback) as client:
            yield Assistant(client, asked, app)


@asynccontextmanager
async def over_stdio(
    *flags: str, mode: str = "auto", answer: Answer | None = None, sandbox: bool = True
) -> AsyncGenerator[Assistant]:
    """A client connected to a server process over stdio, as hosts do it; the process is one of `tests.warm`."""
    asked: list[str] = []
    demo = ["--sandbox", "--sandbox-now", NOW, "--sandbox-clock", "frozen"] if sandbox else []
    program = [str(warm.folder() / "cliniko-mcp")] if warm.POSSIBLE else [sys.executable, "-m", "cliniko_mcp"]
    command = StdioServerParameters(
        command=program[0], args=[*program[1:], "serve", *demo, *flags], env=dict(os.environ)
    )
    callback = callback_for(answer, asked) if answer else None
    async with Client(stdio_client(command), mode=mode, elicitation_callback=callback) as client:
        yield Assistant(client, asked)
