"""oidc-provider as the authorization server, where node and the package are at hand, and people who log in there."""

import json
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

HERE = Path(__file__).parent
MODULES = HERE.parent / "npm" / "node_modules"
CALLBACK = "http://127.0.0.1:33418/callback"


@contextmanager
def provider(folder: Path, port: int, formats: Mapping[str, str]) -> Generator[str]:
    """The issuer's address; it gives tokens of these formats, by resource, and its script lies in this folder.

    Skips where it cannot be had.
    """
    node = shutil.which("node")
    if node is None or not (MODULES / "oidc-provider").is_dir():
        pytest.skip("needs node, and oidc-provider in tests/npm (npm install --prefix tests/npm)")
    # Node looks for packages beside the script that imports them.
    (folder / "node_modules").symlink_to(MODULES.resolve())
    script = shutil.copy(HERE / "provider.mjs", folder)
    command = [node, script, str(port), json.dumps(dict(formats))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.stderr.read().decode())
        try:
            yield json.loads(line)["issuer"]
        finally:
            process.kill()


@dataclass
class Keeps:
    """What a client keeps between its requests."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None
    given: list[OAuthToken] = field(default_factory=list[OAuthToken])

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens
        self.given.append(tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Redirected(ABC):
    """Somebody who logs in whenever a client sends them somewhere, and the client that sends them."""

    def __init__(self) -> None:
        self.logins = 0
        self._came = ""

    @abstractmethod
    async def open(self, address: str) -> None:
        """Go there and log in; `_came` is where that leads back to."""

    async def back(self) -> AuthorizationCodeResult:
        told = {name: values[0] for name, values in parse_qs(urlsplit(self._came).query).items()}
        return AuthorizationCodeResult(code=told["code"], state=told.get("state"), iss=told.get("iss"))

    def auth(self, address: str, keeps: Keeps) -> OAuthClientProvider:
        metadata = OAuthClientMetadata.model_validate(
            {
                "client_name": "a test",
                "redirect_uris": [CALLBACK],
                "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token"],
                "application_type": "native",
            }
        )
        return OAuthClientProvider(address, metadata, keeps, self.open, self.back)


class Browser(Redirected):
    """Somebody who logs in at the issuer under this name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    async def open(self, address: str) -> None:
        self.logins += 1
        address += "&" + urlencode({"login_hint": self.name})
        async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
            while not address.startswith(CALLBACK):
                answer = await http.get(address)
                assert answer.is_redirect, answer.text
                address = str(answer.url.join(answer.headers["location"]))
        assert "code=" in address, address
        self._came = address
