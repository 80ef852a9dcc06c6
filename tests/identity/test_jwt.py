"""Tokens that an issuer signed: whose they are, and everything that must not pass for one."""

import base64
import json
from collections.abc import Callable
from typing import Any

import anyio
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cliniko_mcp.identity.person import Person, TokenRefused
from tests.identity.issuer import ISSUER, RESOURCE, Issuer, private_key
from tests.identity.requests import Clock


def verdict(issuer: Issuer, token: str, **rules: Any) -> Person | str:
    """Whose the token is, or why it is refused."""

    async def asked() -> Person | str:
        async with issuer.client() as client:
            try:
                return await issuer.verifier(client, **rules).person_of(token)
            except TokenRefused as refused:
                return refused.reason

    return anyio.run(asked)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_token_of_each_kind_of_key_is_its_persons(algorithm: str) -> None:
    issuer = Issuer()
    person = verdict(issuer, issuer.token(algorithm))
    assert isinstance(person, Person)
    assert (person.issuer, person.subject, person.name) == (ISSUER, "4711", "Ana Lima")
    assert {"cliniko:read", "cliniko:write"} <= person.scopes
    assert person.principal == f"{ISSUER}|4711"


def unsigned(claims: dict[str, Any], header: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)]
    return f"{parts[0]}.{parts[1]}."


def edited(token: str) -> str:
    """The token with the same signature under another subject."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "1"}).encode()).decode().rstrip("=")
    return f"{header}.{changed}.{signature}"


def with_the_public_key_as_a_secret(issuer: Issuer) -> str:
    """HS256 under the text of the public key, which everybody has; made by hand, as the library refuses to."""
    import hashlib
    import hmac

    secret = private_key("RSA").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = unsigned(issuer.claims(), {"alg": "HS256", "typ": "at+jwt", "kid": "RSA0"})[:-1]
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


REFUSED: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "alg none": (
        lambda issuer: unsigned(issuer.claims(), {"alg": "none", "typ": "at+jwt", "kid": "RSA0"}),
        "algorithm",
    ),
    "HS256 with the public key": (lambda issuer: with_the_public_key_as_a_secret(issuer), "algorithm"),
    "edited": (lambda issuer: edited(issuer.token()), "signature"),
    "unknown kid": (lambda issuer: issuer.token(header={"kid": "other"}), "signature"),
    "no kid": (lambda issuer: issuer.token(header={"kid": None}), "signature"),
    "another key under a known kid": (lambda issuer: issuer.token(number=1, header={"kid": "RSA0"}), "signature"),
    "an algorithm that is not the key's": (lambda issuer: issuer.token("ES256", header={"kid": "RSA0"}), "algorithm"),
    "a header that must be understood": (
        lambda issuer: issuer.token(header={"crit": ["b64"], "b64": True}),
        "malformed",
    ),
    "id token": (lambda issuer: issuer.token(header={"typ": "JWT"}), "kind"),
    "logout token": (lambda issuer: issuer.token(header={"typ": "logout+jwt"}), "kind"),
    "another resource": (lambda issuer: issuer.token(aud="https://other.example.org/mcp"), "audience"),
    "a resource that begins alike": (lambda issuer: issuer.token(aud="https://mcp.example.org/mcp.evil"), "audience"),
    "two clinics and not all": (
        lambda issuer: issuer.token(aud=[f"{RESOURCE.url}/a", f"{RESOURCE.url}/b"]),
        "audience",
    ),
    "a clinic's resource and another's claim": (
        lambda issuer: issuer.token(aud=f"{RESOURCE.url}/north", clinic="south"),
        "audience",
    ),
    "no audience": (lambda issuer: issuer.token(aud=None), "audience"),
    "another issuer": (lambda issuer: issuer.token(iss="https://evil.example.org"), "issuer"),
    "the issuer with a slash": (lambda issuer: issuer.token(iss=f"{ISSUER}/"), "issuer"),
    "expired": (lambda issuer: issuer.token(exp=int(issuer.clock.now.timestamp()) - 30), "expired"),
    "no end": (lambda issuer: issuer.token(exp=None), "claims"),
    "an end that is no time": (lambda issuer: issuer.token(exp="tomorrow"), "claims"),
    "an end beyond all time": (lambda issuer: issuer.token(exp=10**18), "claims"),
    "not yet": (lambda issuer: issuer.token(nbf=int(issuer.clock.now.timestamp()) + 31), "early"),
    "from the future": (lambda issuer: issuer.token(iat=int(issuer.clock.now.timestamp()) + 31), "early"),
    "nobody": (lambda issuer: issuer.token(sub=None), "claims"),
    "a subject of 256 characters": (lambda issuer: issuer.token(sub="x" * 256), "claims"),
    "garbage": (lambda _: "x.y.z", "malformed"),
    "a payload that is no object": (lambda _: jwt.api_jws.encode(b"[]", private_key("RSA"), "RS256"), "malformed"),
    "opaque": (lambda _: "opaque", "unknown"),
}
"""Tokens that must not pass, each with the reason."""


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_access_token_for_this_server_is_refused(what: str) -> None:
    issuer = Issuer()
    made, reason = REFUSED[what]
    assert verdict(issuer, made(issuer)) == reason


def test_the_issuers_clock_may_be_half_a_minute_off() -> None:
    clock = Clock()
    now = int(clock.now.timestamp())
    issuer = Issuer(clock)
    off: list[dict[str, Any]] = [{"exp": now - 29}, {"nbf": now + 30}, {"iat": now + 30}]
    for changed in off:
        assert isinstance(verdict(issuer, issuer.token(**changed)), Person), changed


@pytest.mark.parametrize(
    ("aud", "clinic", "bound"),
    [
        (RESOURCE.url, None, None),
        (f"{RESOURCE.url}/", None, None),
        ([RESOURCE.url, "account"], "north", "north"),
        (f"{RESOURCE.url}/north", None, "north"),
        ([f"{RESOURCE.url}/north", RESOURCE.url], None, None),
    ],
)
def test_a_token_is_for_the_clinic_that_its_claim_or_its_resource_names(aud: Any, clinic: Any, bound: Any) -> None:
    issuer = Issuer()
    person = verdict(issuer, issuer.token(aud=aud, clinic=clinic))
    assert isinstance(person, Person)
    assert person.clinic == bound


def test_an_issuer_that_does_not_mark_its_access_tokens_is_taken_at_its_word_where_the_operator_says_so() -> None:
    issuer = Issuer()
    token = issuer.token(header={"typ": "JWT"}, typ="Bearer")
    assert verdict(issuer, token) == "kind"
    assert isinstance(verdict(issuer, token, plain_type=True), Person)
    marks: list[dict[str, Any]] = [{"typ": "ID"}, {"nonce": "n"}, {"at_hash": "h"}]
    for of_id_tokens in marks:
        assert verdict(issuer, issuer.token(header={"typ": "JWT"}, **of_id_tokens), plain_type=True) == "kind"


def test_claims_are_read_under_the_names_that_were_set() -> None:
    """As Entra has them: scopes in scp under names of its own, a person by object and tenant, its own audience."""
    issuer = Issuer()
    changed: dict[str, Any] = {
        "oid": "o-1",
        "tid": "t-2",
        "scp": "cliniko.write",
        "aud": "8d1f",
        "scope": None,
        "name": None,
    }
    token = issuer.token(**changed, preferred_username="ana@clinic.example")
    rules: dict[str, Any] = {
        "audiences": frozenset({"8d1f"}),
        "subject": ("oid", "tid"),
        "scope": "scp",
        "name": "preferred_username",
        "scope_names": {"cliniko.write": "cliniko:write"},
    }
    person = verdict(issuer, token, **rules)
    assert isinstance(person, Person)
    assert (person.subject, person.name) == ("o-1 t-2", "ana@clinic.example")
    assert person.scopes == {"cliniko:write"}
    assert verdict(issuer, issuer.token(), **rules) == "audience"
    wrong: list[dict[str, Any]] = [changed | {"tid": None}, changed | {"oid": "o 1"}]
    for claims in wrong:
        assert verdict(issuer, issuer.token(**claims), **rules) == "claims"
