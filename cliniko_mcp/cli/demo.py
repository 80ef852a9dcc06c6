"""`cliniko-mcp demo`: plays a front-desk conversation with the demo clinic through a real MCP client."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from cliniko_mcp.errors import JsonValue

if TYPE_CHECKING:
    import mcp_types as types
    from mcp.client.client import Client
    from mcp.client.session import ClientRequestContext


@click.command()
@click.option("--fast", is_flag=True, help="Do not pause between the lines.")
def demo(fast: bool) -> None:
    """Play a front-desk conversation with the demo clinic: nothing real, no key, no network."""
    import anyio

    anyio.run(Conversation(pause=0 if fast or not sys.stdout.isatty() else 0.8).play)


class Conversation:
    """A receptionist's questions, the tool calls that answer them, and the results, printed one after the other.

    `pause` is the time in seconds between two lines.
    """

    _client: "Client"

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._person_says_yes = True
        self._step = ""

    async def play(self) -> None:
        """Connect over stdio to a server started for the demo, and play all scenes."""
        from mcp.client.client import Client
        from mcp.client.stdio import StdioServerParameters, stdio_client

        tell("Starting the server on the demo clinic ...", dim=True)
        server = StdioServerParameters(command=sys.executable, args=["-m", "cliniko_mcp", "serve", "--sandbox"])
        async with Client(stdio_client(server), elicitation_callback=self._answer) as client:
            self._client = client
            listed = await client.list_tools()
            count = len(listed.tools)
            tell(f"Connected: {count} tools listed, every other one can be called. All of it is fictional.", dim=True)
            await self._scenes()
        click.echo()
        tell("To try it in Claude Desktop, run this, then start Claude Desktop again:", bold=True)
        click.echo(f"  {start_command()} install --client claude-desktop --sandbox")
        tell("For your own clinic leave out --sandbox. For any other assistant, this is the block to put in by hand:")
        click.echo(configuration())

    async def _scenes(self) -> None:
        await self._say("Who works here, and where?")
        await self._call("clinic_overview")

        await self._say("When is Dr Mei Ng free for a standard consult in the next two weeks, after 3?")
        wanted = {"type": "Standard consult", "practitioner": "Mei Ng"}
        free = (await self._call("find_times", when="next 2 weeks after 3pm", **wanted, limit=4))["items"]

        await self._say("Book Ana Lima into the first of these.")
        first, second = (str(row["starts_at"]).split("+")[0] for row in free[:2])
        booked = await self._call("book_appointment", patient="Ana Lima", when=first, **wanted)

        await self._say("And Ben Adeyemi at the same time?")
        await self._call("book_appointment", patient="Ben Adeyemi", when=first, **wanted)

        await self._say("No, then. But move Ana to the next one.")
        appointment = str(booked["item"]["id"])
        await self._call("move_appointment", appointment=appointment, when=second)

        await self._say("Ana is sick: cancel it. (A person is asked; here the demo answers yes.)")
        self._person_says_yes = True
        await self._call("cancel_appointment", appointment=appointment, reason="sick")

        await self._say("And archive her record. (A person is asked; here the demo answers no.)")
        self._person_says_yes = False
        ana = (await self._call("find_patients", query="Ana Lima"))["items"][0]["id"]
        await self._call("archive_patient", id=ana)
        await self._call("get_patient", id=ana)
        tell("Nothing was archived.", 4, fg="green")

        await self._say("Read me the visits so far, oldest first.")
        await self._call("list_individual_appointments", sort="starts_at", limit=250)

    async def _say(self, question: str) -> None:
        import anyio

        await anyio.sleep(self._pause)
        click.echo()
        tell(f"› {question}", fg="cyan", bold=True)

    async def _call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        import anyio

        shown = ", ".join(f"{key}: {value}" for key, value in arguments.items())
        tell(f"{name}({shown})", 2, fg="yellow")
        self._step = ""
        result = await self._client.call_tool(name, arguments, progress_callback=self._progress)
        (content,) = result.content
        assert content.type == "text"
        # JSON of fifteen tools enters here, each with fields of its own.
        answer: dict[str, Any] = json.loads(content.text)
        for line, style in lines_of(answer):
            tell(line, 4, **style)
        await anyio.sleep(self._pause)
        return answer

    async def _progress(self, progress: float, total: float | None, message: str | None) -> None:
        step = message or f"{progress:g} of {total or 0:g}"
        if step != self._step:
            tell(f"… {step}", 4, dim=True)
        self._step = step

    async def _answer(
        self, context: "ClientRequestContext", params: "types.ElicitRequestParams"
    ) -> "types.ElicitResult":
        import mcp_types as types

        for line in filter(None, params.message.splitlines()):
            tell(f"? {line}", 4, fg="magenta")
        tell(f"! {'Yes' if self._person_says_yes else 'No'}", 4, fg="magenta", bold=True)
        if self._person_says_yes:
            return types.ElicitResult(action="accept", content={"approve": True})
        return types.ElicitResult(action="decline")


def tell(text: str, indent: int = 0, **style: Any) -> None:
    """Print the text with a `click.style`; in a terminal it is wrapped between words, with a hanging indent."""
    lines = [" " * indent + text]
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, 40)
        lines = textwrap.wrap(
            text, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_on_hyphens=False
        )
    for line in lines:
        click.secho(line, **style)


def lines_of(answer: Mapping[str, Any], limit: int = 4) -> Iterator[tuple[str, dict[str, Any]]]:
    """A tool's result as a few readable lines, at most `limit` of each list, each with its `click.style`."""
    faint: dict[str, Any] = {"dim": True}
    if "code" in answer:
        yield f"{answer['code']}: {answer['message']}", {"fg": "red"}
        yield from ((f"- {clash}", {}) for clash in answer.get("clashes", []))
        if nearest := answer.get("nearest"):
            yield f"nearest: {', '.join(nearest)}", {}
        return
    if isinstance(answer.get("when"), str):
        yield answer["when"], faint
    for name in ("sites", "practitioners", "items"):
        rows = answer.get(name, [])
        yield from ((_line(row), {}) for row in rows[:limit])
        if len(rows) > limit:
            yield f"… and {len(rows) - limit} more {name if name != 'items' else ''}".rstrip(), faint
    if "item" in answer:
        yield _line(answer["item"]), {}
    if "done" in answer:
        yield str(answer["done"]), {}
    yield from ((note, faint) for note in answer.get("notes", [])[:2])


def _line(row: Mapping[str, JsonValue]) -> str:
    line = " · ".join(_values(row))
    return line if len(line) <= 140 else line[:139] + "…"


def _values(row: Mapping[str, JsonValue]) -> Iterator[str]:
    for name, value in row.items():
        if name == "id" or name.endswith("_id") or isinstance(value, bool):
            continue
        if isinstance(value, dict):
            yield from (f"{key} {part}" for key, part in value.items() if isinstance(part, str | int))
        elif isinstance(value, str | int | float):
            yield str(value)


def start_command() -> str:
    """The command that starts this program from any folder: its name where the shell finds it, else its path."""
    import shlex

    from cliniko_mcp.hosts.launch import NAME, launch_command

    return NAME if shutil.which(NAME) else shlex.join(launch_command(sys.argv[0]))


def configuration() -> str:
    """The JSON for a host's configuration file that starts this installation with the demo clinic."""
    from cliniko_mcp.hosts.table import ENTRY, HOSTS

    host = HOSTS["other"]
    entry = host.entry([sys.executable, "-m", "cliniko_mcp"], ["--sandbox"], {})
    return json.dumps({host.section: {ENTRY: entry}}, indent=2)
