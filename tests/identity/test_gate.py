"""The gate: who comes through, and what everybody else is told, byte for byte."""

import json

import anyio
import pytest

from cliniko_mcp.identity.gate import FirstOf, Gate, Remembered
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.person import IssuerUnavailable, Person, Reason, TokenRefused
from cliniko_mcp.identity.scopes import DESTROY, READ, SCOPES, WRITE
from tests.identity.requests import NOON, Answer, Behind, Clock, Known, ask

ADDRESS = Resource("https://mcp.example.org/mcp")
ROOT = "https://mcp.example.org/.well-known/oauth-protected-resource"
ALL = "cliniko:read cliniko:write cliniko:destroy"
PEOPLE = {
    "reads": Person("https://login.example.org", "ana", "Ana Lima", frozenset({READ})),
    "writes": Person("https://login.example.org", "ben", scopes=frozenset({WRITE})),
    "destroys": Person("https://login.example.org", "eve", scopes=frozenset({DESTROY, "openid"})),
    "nothing": Person("https://login.example.org", "sam", scopes=frozenset({"openid"})),
}


def gate(behind: Behind, resource: Resource | None = ADDRESS) -> Gate:
    passes = {"/healthz"}.__contains__
    return Gate(behind, Known(PEOPLE), max_body_bytes=4096, resource=resource, passes=passes)


def bearer(token: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer {token}"), *more]


def call(tool: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}}).encode()


def challenge(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.headers.get("www-authenticate")


def test_without_a_token_the_challenge_names_the_metadata_and_all_scopes_that_may_ever_be_needed() -> None:
    behind = Behind()
    for headers in ((), [("Authorization", "Basic YTpi")], [("Authorization", "Bearer ")]):
        answer = ask(gate(behind), headers=headers)
        assert challenge(answer) == (401, f'Bearer resource_metadata="{ROOT}/mcp", scope="{ALL}"')
    assert behind.scopes == []


def test_a_clinics_address_has_metadata_of_its_own() -> None:
    answer = ask(gate(Behind()), "/mcp/north")
    assert challenge(answer) == (401, f'Bearer resource_metadata="{ROOT}/mcp/north", scope="{ALL}"')


def test_a_token_that_is_not_known_is_an_invalid_token_and_is_not_repeated() -> None:
    answer = ask(gate(Behind()), headers=bearer("stolen-token-of-somebody"))
    assert challenge(answer) == (
        401,
        f'Bearer error="invalid_token", resource_metadata="{ROOT}/mcp", scope="{ALL}"',
    )
    assert b"stolen" not in answer.body


@pytest.mark.parametrize("token", ["x" * 20_000, "caf\xe9", "a b", ","])
def test_garbage_is_an_invalid_token(token: str) -> None:
    behind = Behind()
    assert ask(gate(behind), headers=bearer(token)).status == 401
    assert behind.scopes == []


def test_a_token_in_the_address_counts_for_nothing() -> None:
    behind = Behind()
    assert ask(gate(behind), "/mcp?access_token=destroys").status == 401
    assert behind.scopes == []


def test_two_authorization_headers_are_refused_whatever_they_hold() -> None:
    behind = Behind()
    answer = ask(gate(behind), headers=bearer("destroys", ("authorization", "Bearer destroys")))
    assert challenge(answer) == (400, None)
    assert behind.scopes == []


def test_without_an_authorization_server_no_metadata_is_named() -> None:
    answer = ask(gate(Behind(), None))
    assert challenge(answer) == (401, f'Bearer scope="{ALL}"')


def test_what_is_for_everyone_passes_without_a_token() -> None:
    assert ask(gate(Behind()), "/healthz", method="GET").body == b"through"


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read() -> None:
    answer = ask(gate(Behind()), headers=bearer("destroys", ("Content-Length", "4097")))
    assert answer.status == 413


def test_the_person_is_told_to_what_is_behind() -> None:
    behind = Behind()
    assert ask(gate(behind), headers=bearer("reads")).status == 200
    (scope,) = behind.scopes
    assert scope["state"] == {"person": PEOPLE["reads"], "principal": "https://login.example.org|ana"}
    token = scope["user"].access_token
    assert (token.client_id, token.subject, token.token) == ("https://login.example.org|ana", "ana", "")


NEEDED = {"get_patient": READ, "create_patient": WRITE, "cancel_appointment": DESTROY, "no_such_tool": READ}


@pytest.mark.parametrize("era", ["headers", "body"])
@pytest.mark.parametrize("tool", NEEDED)
@pytest.mark.parametrize("token", ["reads", "writes", "destroys", "nothing"])
def test_a_tool_needs_its_scope_and_the_challenge_names_all_of_them(token: str, tool: str, era: str) -> None:
    behind = Behind()
    more = [("Mcp-Method", "tools/call"), ("Mcp-Name", tool)] if era == "headers" else []
    answer = ask(gate(behind), headers=bearer(token, *more), body=call(tool))
    held = {"reads": 1, "writes": 2, "destroys": 3, "nothing": 0}[token]
    needs = SCOPES.index(NEEDED[tool]) + 1 if token != "nothing" else 1
    if held >= needs:
        assert answer.status == 200
        assert behind.bodies == [call(tool)]
    else:
        scopes = " ".join(SCOPES[:needs])
        told = f'Bearer error="insufficient_scope", resource_metadata="{ROOT}/mcp", scope="{scopes}"'
        assert challenge(answer) == (403, told)
        assert behind.scopes == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"method": "tools/call", "params": 3}', b"[" * 4000])
def test_a_body_that_calls_no_tool_passes_whole_with_a_token_that_reads(body: bytes) -> None:
    behind = Behind()
    assert ask(gate(behind), headers=bearer("reads"), body=body).status == 200
    assert behind.bodies == [body]


def test_what_a_verifier_said_is_kept_for_a_minute_at_most_and_never_past_the_tokens_end() -> None:
    clock = Clock()
    known = Known({"long": PEOPLE["reads"], "short": Person("i", "s", expires=NOON.replace(second=30))})
    remembered = Remembered(known, clock)
    for token, seconds, asked in (("long", 0, 1), ("long", 59, 1), ("long", 2, 2), ("short", -61, 3), ("short", 29, 3)):
        clock.pass_by(seconds)
        anyio.run(remembered.person_of, token)
        assert known.asked == asked, (token, seconds)
    clock.pass_by(1)
    del known.people["short"]
    with pytest.raises(TokenRefused):
        anyio.run(remembered.person_of, "short")


class Refusing:
    """A verifier that refuses every token for this reason."""

    def __init__(self, reason: Reason | None) -> None:
        self.reason: Reason | None = reason

    async def person_of(self, token: str) -> Person:
        if self.reason is None:
            raise IssuerUnavailable
        raise TokenRefused(self.reason)


def test_of_several_verifiers_the_one_that_knows_the_token_decides() -> None:
    known, expired = Known(PEOPLE), Refusing("expired")
    assert anyio.run(FirstOf([Refusing("unknown"), known]).person_of, "reads") == PEOPLE["reads"]
    with pytest.raises(TokenRefused) as refused:
        anyio.run(FirstOf([expired, known]).person_of, "reads")
    assert refused.value.reason == "expired"
    assert known.asked == 1


def test_while_the_issuer_is_away_the_client_is_told_to_come_again() -> None:
    answer = ask(Gate(Behind(), Refusing(None), max_body_bytes=10), headers=bearer("any"))
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")


def test_two_people_never_share_a_principal_nor_a_digest() -> None:
    people = [Person(issuer, subject) for issuer in ("https://a", "https://a/b") for subject in ("x", "b|x", "|x")]
    assert len({person.principal for person in people}) == len({person.digest for person in people}) == len(people)
