"""An issuer in memory: keys of each kind, its metadata and key set over a transport that can fail, and its tokens."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from cliniko_mcp.identity.claims import ClaimRules
from cliniko_mcp.identity.jwt import ALGORITHMS, SignedBy, SignedTokens
from cliniko_mcp.identity.key_set import KeySet
from cliniko_mcp.identity.metadata import Resource
from tests.identity.requests import Clock

ISSUER = "https://login.example.org/realms/clinics"
RESOURCE = Resource("https://mcp.example.org/mcp")


@cache
def private_key(kind: str, number: int = 0) -> Any:
    """A key of this kind; another number is another key."""
    match kind:
        case "RSA":
            return rsa.generate_private_key(65537, 2048)
        case "EC":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
WRITERS: dict[str, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}


def public_row(kind: str, number: int = 0) -> dict[str, Any]:
    written = WRITERS[kind].to_jwk(private_key(kind, number).public_key())
    row = json.loads(written) if isinstance(written, str) else dict(written)
    return {name: value for name, value in row.items() if name != "key_ops"} | {
        "kid": f"{kind}{number}",
        "use": "sig",
    }


@dataclass
class Issuer:
    """What it serves, how often it was asked, and whether it is away."""

    clock: Clock = field(default_factory=Clock)
    rows: list[dict[str, Any]] = field(default_factory=lambda: [public_row(kind) for kind in ("RSA", "EC", "OKP")])
    away: bool = False
    asked: list[str] = field(default_factory=list[str])
    named: str = ISSUER
    extra: bytes = b""

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.path)
        if self.away:
            raise httpx2.ConnectError("away")
        if request.url.path == "/realms/clinics/.well-known/openid-configuration":
            return httpx2.Response(200, json={"issuer": self.named, "jwks_uri": f"{ISSUER}/keys"})
        if request.url.path == "/realms/clinics/keys":
            return httpx2.Response(200, content=json.dumps({"keys": self.rows}).encode() + self.extra)
        return httpx2.Response(404)

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self))

    def keys(self, client: httpx2.AsyncClient) -> KeySet:
        return KeySet(ISSUER, client, self.clock.seconds)

    def verifier(self, client: httpx2.AsyncClient, *, plain_type: bool = False, **rules: Any) -> SignedTokens:
        signed_by = SignedBy(ClaimRules(ISSUER, RESOURCE, **rules), self.keys(client), ALGORITHMS, plain_type)
        return SignedTokens({ISSUER: signed_by}, self.clock)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """What an ordinary access token says; a claim that is changed to None is left out."""
        now = int(self.clock.now.timestamp())
        usual = {
            "iss": ISSUER,
            "aud": RESOURCE.url,
            "sub": "4711",
            "exp": now + 300,
            "iat": now,
            "scope": "openid cliniko:read cliniko:write",
            "name": "Ana Lima",
        }
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def token(self, algorithm: Any = "RS256", *, number: Any = 0, header: Any = None, **changed: Any) -> str:
        kind = KINDS[algorithm]
        told = {"typ": "at+jwt", "kid": f"{kind}{number}"} | (header or {})
        told = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(self.claims(**changed), private_key(kind, number), algorithm, headers=told)
