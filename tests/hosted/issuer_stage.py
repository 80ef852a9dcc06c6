"""People of a real issuer: their assistants' tokens, their browsers on the pages, and three clinics that ask each
their own way."""

import base64
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import httpx2

from cliniko_mcp.directory.clinics import ClinicEntry
from cliniko_mcp.directory.clinics_changes import ClinicsOfFile, add_clinic
from cliniko_mcp.shared_state.keys import KeyRing, secret_bytes
from tests.faults.process import PATIENT
from tests.hosted.replicas import RING, Older

PAGE = '[issuer.page]\nclient_id = "the-pages"\nclient_secret = "env:PAGE_SECRET"\n'
SECRET = {"PAGE_SECRET": "a-secret-of-the-server"}
BACK = "https://assistant.example.org/back"
SCOPES = "cliniko:read cliniko:write cliniko:destroy"


def clinics_file(path: Path, url: str, people: list[str], **clinics: Mapping[str, Any]) -> list[str]:
    """A file of these clinics, all of whose keys are of the demo clinic there; their accounts."""
    ring = KeyRing([secret_bytes(RING)], os.urandom)
    accounts: list[str] = []
    for number, (name, more) in enumerate(clinics.items()):
        accounts.append(f"{number:032x}")
        told = {"id": name, "people": people, "base_url": url, "account": accounts[-1], "key": "", **more}
        anyio.run(add_clinic, ClinicsOfFile(path), ClinicEntry.model_validate(told), ring, "demo-au1")
    return accounts


@dataclass
class Somebody:
    """A person of the issuer with a browser of their own."""

    origin: str
    name: str
    cookies: httpx2.Cookies = field(default_factory=httpx2.Cookies)

    def fetch(self, address: str | httpx2.URL, **fields: str) -> httpx2.Response:
        """Open an address, or send a form to it; what leads elsewhere is not followed."""
        with httpx2.Client(cookies=self.cookies, timeout=PATIENT, trust_env=False) as http:
            answer = http.post(address, data=fields, headers={"origin": self.origin}) if fields else http.get(address)
            self.cookies = http.cookies
            return answer

    def get(self, path: str = "/approvals") -> httpx2.Response:
        return self.fetch(f"{self.origin}{path}")

    def post(self, path: str, **fields: str) -> httpx2.Response:
        answer = self.fetch(f"{self.origin}{path}", **fields)
        return self.fetch(answer.url.join(answer.headers["location"])) if answer.status_code == 303 else answer

    def sent_to(self, page: httpx2.Response) -> str:
        """The address at the issuer that the page's button leads to."""
        (link,) = re.findall(r'href="(/login/start[^"]*)"', page.text)
        answer = self.fetch(f"{self.origin}{unescape(link)}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def came_back_with(self, address: str) -> str:
        """Log in at the issuer; the address of ours that it leads back to, which is not opened yet."""
        address += "&" + urlencode({"login_hint": self.name})
        while not address.startswith(f"{self.origin}/login/callback"):
            answer = self.fetch(address)
            assert answer.is_redirect, answer.text
            address = str(answer.url.join(answer.headers["location"]))
        return address

    def log_in(self, path: str = "/approvals", page: httpx2.Response | None = None) -> httpx2.Response:
        """Log in where the page asks for it; the page that follows."""
        answer = self.fetch(self.came_back_with(self.sent_to(page or self.get(path))))
        assert answer.status_code == 303, answer.text
        return self.fetch(f"{self.origin}{answer.headers['location']}")

    def answer(self, question: str, decision: str, csrf: str = "") -> httpx2.Response:
        """Answer this question; the page that follows."""
        csrf = csrf or csrf_in(self.get())
        return self.post("/approvals", question=question, decision=decision, csrf=csrf)

    def questions(self) -> list[str]:
        """Those that wait on their page."""
        return [*dict.fromkeys(re.findall(r'name=question value="([0-9a-f]{64})"><div', self.get().text))]


def csrf_in(page: httpx2.Response) -> str:
    return page.text.split('name=csrf value="')[1].partition('"')[0]


def token_of(issuer: str, name: str, resource: str) -> str:
    """A token of this person's assistant, for this server."""
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code", "client_id": "an-assistant", "redirect_uri": BACK, "scope": SCOPES, "state": "s",
        "code_challenge": challenge, "code_challenge_method": "S256", "resource": resource, "login_hint": name,
    }  # fmt: skip
    address = f"{issuer}/auth?{urlencode(asked)}"
    with httpx2.Client(timeout=PATIENT, trust_env=False) as http:
        while not address.startswith(BACK):
            answer = http.get(address)
            assert answer.is_redirect, answer.text
            address = str(answer.url.join(answer.headers["location"]))
        form = {
            "grant_type": "authorization_code", "code": parse_qs(urlsplit(address).query)["code"][0],
            "client_id": "an-assistant", "redirect_uri": BACK, "code_verifier": verifier, "resource": resource,
        }  # fmt: skip
        return http.post(f"{issuer}/token", data=form).json()["access_token"]


class Assistant(Older):
    """An assistant of the older era, which the server cannot ask by a form."""

    def __init__(self, address: str, token: str) -> None:
        self._told = {"authorization": f"Bearer {token}", "host": urlsplit(address).netloc}
        super().__init__(address, "")

    def _sent(self, method: str, params: Mapping[str, Any], **headers: str) -> httpx2.Response:
        return super()._sent(method, params, **self._told | headers)


def until(told: Callable[[], str], *, gone: str) -> str:
    """What is told once it is something else."""
    while (found := told()) == gone:
        pass
    return found
