"""The login at an issuer in a real browser with scripts off: there, back, a question answered, and out again."""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.approvals.chromium import PATIENT, Refused, browser, missing
from tests.hosted.issuer_stage import PAGE, SECRET, Assistant, token_of
from tests.hosted.replicas import RING, envelope
from tests.identity.real_issuer import provider
from tests.journeys.test_http import listening
from tests.journeys.test_issuer import free_port

pytestmark = [pytest.mark.long, pytest.mark.skipif(missing() is not None, reason=missing() or "")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Where the server of one clinic and its issuer are, at which whoever comes from the page is ana."""
    folder, port = tmp_path_factory.mktemp("hosted"), free_port()
    origin = f"http://127.0.0.1:{port}"
    with provider(folder, free_port(), {f"{origin}/mcp": "jwt"}) as issuer:
        hosted = folder / "hosted.toml"
        ana = 'name = "the front desk"\nparameters = { login_hint = "ana" }\n'
        hosted.write_text(
            f'public_url = "{origin}/mcp"\nkeys = ["env:RING"]\n[[issuer]]\nurl = "{issuer}"\n{PAGE}{ana}'
        )
        flags = ("--hosted", str(hosted), "--port", str(port), "--approval-wait", "0")
        with listening(*flags, CLINIKO_MCP_HTTP_TOKEN="", RING=RING, PAGE_SECRET=SECRET["PAGE_SECRET"]):
            yield origin, issuer


def test_a_person_logs_in_answers_and_signs_out(place: tuple[str, str]) -> None:
    origin, issuer = place
    address = f"{origin}/mcp"
    assistant = Assistant(address, token_of(issuer, "ana", address))
    patient = envelope(assistant.call("list_patients", limit=1))["items"][0]["id"]
    assert envelope(assistant.call("archive_patient", id=patient))["code"] == "approval_needed"
    with browser() as window:
        window.do("Emulation.setScriptExecutionDisabled", value=True)
        window.open(f"{origin}/approvals")
        assert "Log in with the front desk" in window.text()

        def shows(text: str, seconds: float) -> bool:
            give_up = time.monotonic() + seconds
            while time.monotonic() < give_up:
                with suppress(Refused):  # as the next page has just begun
                    if text in window.text():
                        return True
            return False

        def press(what: str, leads_to: str) -> None:
            give_up = time.monotonic() + PATIENT
            while time.monotonic() < give_up:
                with suppress(Refused):  # as the page has just brought itself up to date
                    window.script(f"document.querySelector({what!r}).click()")
                if shows(leads_to, 10):
                    return
            raise AssertionError(window.text())

        press("a.button", "One question for you")
        cookies = {one["name"]: one for one in window.do("Storage.getCookies")["cookies"]}
        login = cookies["cm-login"]
        assert (login["httpOnly"], login["sameSite"], login["session"]) == (True, "Lax", True)
        assert "cm-attempt" not in cookies
        press("button.yes", "Archived")
        press("button.small", "Signed out")
        window.open(f"{origin}/approvals")
        assert shows("Log in with the front desk", PATIENT)
        assert window.complaints() == []
    assert "Archived" in envelope(assistant.call("archive_patient", id=patient))["done"]
