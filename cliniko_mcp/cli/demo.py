"""`cliniko-mcp demo`: the newcomer's first minute, a front-desk conversation played through a real MCP client."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import click

QUIET = "get_authenticated_user"
"""Asked only for the time in the clinic, so not shown."""


@click.command()
@click.option("--fast", is_flag=True, help="Do not pause between the lines.")
def demo(fast: bool) -> None:
    """Play a front-desk conversation with the demo clinic: nothing real, no key, no network."""
    import anyio

    anyio.run(Conversation(pause=0 if fast or not sys.stdout.isatty() else 0.7).play)


class Conversation:
    """A receptionist's questions, the tool calls that answer them, and the answers, told one after the other."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._client: Any = None
        self._yes = True

    async def play(self) -> None:
        """Connect over stdio to a server of our own and play all scenes."""
        from mcp.client.client import Client
        from mcp.client.stdio import StdioServerParameters, stdio_client

        arguments = ["-m", "cliniko_mcp", "serve", "--sandbox", "--view", "all"]
        click.echo(click.style("Starting the server on the demo clinic ...", dim=True))
        server = stdio_client(StdioServerParameters(command=sys.executable, args=arguments))
        async with Client(server, elicitation_callback=self._answer) as client:
            self._client = client
            listed = await client.list_tools()
            click.echo(click.style(f"Connected: {len(listed.tools)} tools. Everything below is fictional.\n", dim=True))
            await self._scenes()
        click.echo(click.style("\nTo use it in Claude Desktop, put this into its configuration file:", bold=True))
        click.echo(configuration())
        click.echo("For your own clinic: leave out --sandbox and set CLINIKO_API_KEY and CLINIKO_CONTACT_EMAIL.")

    async def _scenes(self) -> None:
        await self._say("Who works here, and where?")
        people = await self._call("list_practitioners", limit=5)
        sites = await self._call("list_businesses")
        types = await self._call("list_appointment_types", limit=10)
        practitioner = _named(people, "Mei Ng")
        site = _named(sites, "Northside")
        kind = _named(types, "Standard consult")

        await self._say("When is Mei Ng free for a standard consult in the next days?")
        free = await self._first_free(site["id"], practitioner["id"], kind["id"])

        await self._say("Book Ana Lima into the first of these.")
        patient = (await self._call("list_patients", first_name="Ana", last_name="Lima"))["items"][0]
        booking = {"business_id": site["id"], "practitioner_id": practitioner["id"], "patient_id": patient["id"]}
        booking |= {"appointment_type_id": kind["id"]}
        booked = (await self._call("create_individual_appointment", **booking, starts_at=free))["item"]

        await self._say("And somebody else at the same time? Does that clash?")
        other = next(row for row in (await self._call("list_patients", limit=5))["items"] if row["id"] != patient["id"])
        clash = booking | {"patient_id": other["id"]}
        second = (await self._call("create_individual_appointment", **clash, starts_at=free))["item"]
        await self._call("get_individual_appointment_conflicts", id=second["id"])

        await self._say("Yes, it clashes: move the second one to the day after.")
        day_after = _plus_days(free, 1)
        await self._call(
            "update_individual_appointment", id=second["id"], starts_at=day_after, ends_at=_plus_minutes(day_after, 30)
        )

        await self._say("The second patient is sick. Cancel that one. (You will be asked; the demo says yes.)")
        self._yes = True
        await self._call("cancel_individual_appointment", id=second["id"], cancellation_reason="sick")

        await self._say("Archive Ana Lima's record. (You will be asked; the demo says no.)")
        self._yes = False
        await self._call("archive_patient", id=patient["id"])
        still = await self._call("get_individual_appointment", id=booked["id"])
        click.echo(
            click.style(f"Nothing was archived; Ana's appointment on {still['item']['starts_at']} stands.", fg="green")
        )

    async def _first_free(self, site: str, practitioner: str, kind: str) -> str:
        today = datetime.fromisoformat((await self._call(QUIET))["now"].split(" ")[0])
        for week in range(4):
            first = (today + timedelta(days=1 + 7 * week)).date()
            times = await self._call(
                "list_available_times",
                business_id=site,
                practitioner_id=practitioner,
                appointment_type_id=kind,
                to=str(first + timedelta(days=6)),
                limit=5,
                **{"from": str(first)},
            )
            if times.get("items"):
                return str(times["items"][0]["appointment_start"]).split(" ")[0]
        raise click.ClickException("the demo clinic has no free time in the next four weeks")

    async def _say(self, words: str) -> None:
        import anyio

        await anyio.sleep(self._pause)
        click.echo(click.style(f"\n› {words}", fg="cyan", bold=True))

    async def _call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        import anyio

        if name != QUIET:
            shown = ", ".join(f"{key}={value}" for key, value in arguments.items())
            click.echo(click.style(f"  {name}({shown})", fg="yellow"))
        result = await self._client.call_tool(name, arguments, progress_callback=self._progress)
        answer: dict[str, Any] = json.loads(result.content[0].text)
        if name != QUIET:
            for line in lines_of(answer):
                click.echo(f"    {line}")
            await anyio.sleep(self._pause)
        return answer

    async def _progress(self, done: float, total: float | None, message: str | None) -> None:
        click.echo(click.style(f"    … {message or f'{done:g} of {total or 0:g}'}", dim=True))

    async def _answer(self, context: Any, params: Any) -> Any:
        import mcp_types as types

        for line in str(params.message).splitlines():
            click.echo(click.style(f"    ? {line}", fg="magenta"))
        click.echo(click.style(f"    ! {'Yes' if self._yes else 'No'}", fg="magenta", bold=True))
        if self._yes:
            return types.ElicitResult(action="accept", content={"approve": True})
        return types.ElicitResult(action="decline")


def lines_of(answer: Mapping[str, Any], most: int = 5) -> list[str]:
    """An answer in a few readable lines."""
    if "code" in answer:
        return [click.style(f"{answer['code']}: {answer['message']}", fg="red"), str(answer.get("fix", ""))]
    if "done" in answer:
        return [str(answer["done"])]
    if "item" in answer:
        return [_line(answer["item"])]
    rows = answer.get("items", [])
    lines = [_line(row) for row in rows[:most]]
    total = answer.get("page", {}).get("total", len(rows))
    return [*lines, f"… {total - most} more"] if total > most else lines or ["nothing"]


def _line(row: Mapping[str, Any]) -> str:
    parts = [
        f"{key} {value}" for key, value in row.items() if isinstance(value, str | int | float) and value is not True
    ]
    text = " · ".join(parts)
    return text if len(text) <= 150 else text[:149] + "…"


def _named(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = answer["items"]
    return next(row for row in rows if any(isinstance(value, str) and name in value for value in row.values()))


def _plus_days(moment: str, days: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(days=days)).isoformat()


def _plus_minutes(moment: str, minutes: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(minutes=minutes)).isoformat()


def configuration() -> str:
    """The block for claude_desktop_config.json that serves the demo clinic with this very installation."""
    server = {"command": sys.executable, "args": ["-m", "cliniko_mcp", "serve", "--sandbox"]}
    return json.dumps({"mcpServers": {"cliniko": server}}, indent=2)
