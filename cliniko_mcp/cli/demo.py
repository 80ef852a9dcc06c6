"""`cliniko-mcp demo`: the newcomer's first minute, a front-desk conversation played through a real MCP client."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import click


@click.command()
@click.option("--fast", is_flag=True, help="Do not pause between the lines.")
def demo(fast: bool) -> None:
    """Play a front-desk conversation with the demo clinic: nothing real, no key, no network."""
    import anyio

    anyio.run(Conversation(pause=0 if fast or not sys.stdout.isatty() else 0.8).play)


class Conversation:
    """A receptionist's questions, the tool calls that answer them, and the answers, told one after the other."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._client: Any = None
        self._person_says_yes = True

    async def play(self) -> None:
        """Connect over stdio to a server of our own and play all scenes."""
        from mcp.client.client import Client
        from mcp.client.stdio import StdioServerParameters, stdio_client

        tell("Starting the server on the demo clinic ...", dim=True)
        server = StdioServerParameters(command=sys.executable, args=["-m", "cliniko_mcp", "serve", "--sandbox"])
        async with Client(stdio_client(server), elicitation_callback=self._answer) as client:
            self._client = client
            listed = await client.list_tools()
            said = (
                f"Connected: {len(listed.tools)} tools listed, every other one can be called. All of it is fictional."
            )
            tell(said, dim=True)
            await self._scenes()
        click.echo()
        tell("To try it in Claude Desktop, run this, then start Claude Desktop again:", bold=True)
        click.echo(f"  {started()} install --client claude-desktop --sandbox")
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

    async def _say(self, words: str) -> None:
        import anyio

        await anyio.sleep(self._pause)
        click.echo()
        tell(f"› {words}", fg="cyan", bold=True)

    async def _call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        import anyio

        shown = ", ".join(f"{key}: {value}" for key, value in arguments.items())
        tell(f"{name}({shown})", 2, fg="yellow")
        result = await self._client.call_tool(name, arguments, progress_callback=self._progress)
        answer: dict[str, Any] = json.loads(result.content[0].text)
        for line, style in lines_of(answer):
            tell(line, 4, **style)
        await anyio.sleep(self._pause)
        return answer

    async def _progress(self, done: float, total: float | None, message: str | None) -> None:
        tell(f"… {message or f'{done:g} of {total or 0:g}'}", 4, dim=True)

    async def _answer(self, context: Any, params: Any) -> Any:
        import mcp_types as types

        for line in filter(None, str(params.message).splitlines()):
            tell(f"? {line}", 4, fg="magenta")
        tell(f"! {'Yes' if self._person_says_yes else 'No'}", 4, fg="magenta", bold=True)
        if self._person_says_yes:
            return types.ElicitResult(action="accept", content={"approve": True})
        return types.ElicitResult(action="decline")


def tell(words: str, indent: int = 0, **style: Any) -> None:
    """Print the words; in a terminal broken between words, with what follows under where they began."""
    lines = [" " * indent + words]
    if sys.stdout.isatty():
        room = max(shutil.get_terminal_size().columns, 40)
        lines = textwrap.wrap(
            words, room, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_on_hyphens=False
        )
    for line in lines:
        click.secho(line, **style)


def lines_of(answer: Mapping[str, Any], most: int = 4) -> Iterator[tuple[str, dict[str, Any]]]:
    """An answer in a few lines that a person can read, each with its style."""
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
        yield from ((_line(row), {}) for row in rows[:most])
        if len(rows) > most:
            yield f"… and {len(rows) - most} more {name if name != 'items' else ''}".rstrip(), faint
    if "item" in answer:
        yield _line(answer["item"]), {}
    if "done" in answer:
        yield str(answer["done"]), {}
    yield from ((note, faint) for note in answer.get("notes", [])[:2])


def _line(row: Mapping[str, Any]) -> str:
    words = " · ".join(_words(row))
    return words if len(words) <= 140 else words[:139] + "…"


def _words(row: Mapping[str, Any]) -> Iterator[str]:
    for name, value in row.items():
        if name == "id" or name.endswith("_id") or isinstance(value, bool):
            continue
        if isinstance(value, dict):
            yield from (f"{key} {each}" for key, each in value.items() if isinstance(each, str | int))  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(value, str | int | float):
            yield str(value)


def started() -> str:
    """How this program is started from any folder: by its name where the shell finds it, else by its path."""
    import shlex

    from cliniko_mcp.hosts.launch import NAME, launch_command

    return NAME if shutil.which(NAME) else shlex.join(launch_command(sys.argv[0]))


def configuration() -> str:
    """The block for a host's configuration file that serves the demo clinic with this very installation."""
    from cliniko_mcp.hosts.table import ENTRY, HOSTS

    host = HOSTS["other"]
    entry = host.entry([sys.executable, "-m", "cliniko_mcp"], ["--sandbox"], {})
    return json.dumps({host.section: {ENTRY: entry}}, indent=2)
