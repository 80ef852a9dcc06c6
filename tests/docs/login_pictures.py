"""The pages of the built-in login as they are served, for pictures: one text of each, with what it shows made up."""

from typing import Final, Literal

from starlette.responses import HTMLResponse

from cliniko_mcp.directory.whose import Whose
from cliniko_mcp.identity.scopes import SCOPES
from cliniko_mcp.pages import bodies
from cliniko_mcp.pages.document import page
from cliniko_mcp.shared_state.logins import GrantRow

CLINIC: Final = "Northside & Riverside Allied Health"
ANA: Final = Whose("au1", "4711", "7", "Ana Lima", "ana@clinic.example", "receptionist", CLINIC)
URL: Final = "https://assistants.clinic.example/mcp"
LOGIN_SHOTS: Final[tuple[tuple[int, Literal["light", "dark"]], ...]] = (
    (1280, "light"),
    (1280, "dark"),
    (390, "light"),
    (390, "dark"),
)
SHOWN_WHOLE: Final = ("login-key", "login-confirm", "connections")
"""The pages that are shown in every width and look."""
NOON: Final = 1_795_600_000.0

RULES: Final = bodies.Rules([("account", "4711")], [("role", "administrator"), ("role", "receptionist")])


def grant(program: str, scopes: int, days: float, *, why: str = "") -> GrantRow:
    since = NOON - days * 86_400
    ended = NOON - 3_600 if why else 0.0
    return GrantRow("g", "p", "c", program, " ".join(SCOPES[:scopes]), since, NOON, NOON - 600, True, ended, why)


def served(title: str, body: str, head: str = "", clinic: str = CLINIC) -> str:
    answer: HTMLResponse = page(title, body, clinic=clinic, demo=False, nonce="n", head=head)
    return bytes(answer.body).decode()


def login_pages() -> dict[str, str]:
    """Each page by the name of its picture."""
    over, _ = bodies.handover("Claude", "https://claude.ai/api/mcp/auth_callback?code=x", connected=True)
    mine = [grant("Claude", 2, 12), grant("ChatGPT", 1, 3, why="a refresh token was used again")]
    others = [("Mei Ng", grant("A program on this computer that calls itself “Claude Code”", 3, 1))]
    return {
        "login-key": served("Connect", bodies.ask_key("Claude", "claude.ai", CLINIC, SCOPES, "csrf")),
        "login-wrong": served("Connect", bodies.ask_key("Claude", "claude.ai", CLINIC, SCOPES, "csrf", bodies.WRONG)),
        "login-confirm": served("Is this right?", bodies.confirm("Claude", "claude.ai", ANA, SCOPES[:2], "csrf")),
        "login-done": served("Connected", over),
        "setup-key": served("Set up", bodies.set_up_key("csrf"), clinic="Cliniko"),
        "setup-confirm": served("Your clinic?", bodies.set_up_confirm(ANA, URL, "csrf"), clinic="Cliniko"),
        "setup-done": served("Ready", bodies.set_up_done(URL)),
        "connections": served(
            "Connections", bodies.connections("Ana Lima", mine, others, "csrf", rules=RULES, note="Claude is ended.")
        ),
    }
