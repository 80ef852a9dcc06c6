"""What an issuer answers to a login at the pages, and what of it lets nobody in."""

from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from cliniko_mcp.hosted_file import PageSection
from cliniko_mcp.identity.person import IssuerUnavailable
from cliniko_mcp.identity.relying_party import Attempt, LoginRefused, Proven, RelyingParty
from tests.identity.issuer import ISSUER, RESOURCE, Issuer

pytestmark = pytest.mark.anyio
BACK = "https://mcp.example.org/login/callback"
ATTEMPT = Attempt(ISSUER, "the state", "the nonce", "the verifier")
FRESH = Attempt(ISSUER, "the state", "the nonce", "the verifier", fresh=True)
ANSWER = {"state": "the state", "iss": ISSUER, "code": "the code"}


@dataclass
class Provider(Issuer):
    """An issuer at which people log in; `id_claims` changes what its id tokens say."""

    id_claims: dict[str, Any] = field(default_factory=dict[str, Any])
    access_claims: dict[str, Any] = field(default_factory=dict[str, Any])
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    status: int = 200
    sent: list[httpx2.Request] = field(default_factory=list[httpx2.Request])

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/openid-configuration") and not self.away:
            told = {"issuer": self.named, "jwks_uri": f"{ISSUER}/keys", "token_endpoint": f"{ISSUER}/token"}
            told |= {"authorization_endpoint": f"{ISSUER}/auth?tenant=1"}
            told |= {"authorization_response_iss_parameter_supported": True}
            return httpx2.Response(200, json=told | self.metadata)
        if request.url.path == "/realms/clinics/token" and not self.away:
            self.sent.append(request)
            if self.status != 200:
                return httpx2.Response(self.status, json={"error": "invalid_grant"})
            id_told = {"aud": "the-pages", "nonce": "the nonce", "scope": None, **self.id_claims}
            algorithm = id_told.pop("alg", "RS256")
            number = id_told.pop("number", 0)
            told = {"access_token": self.token(**self.access_claims), "token_type": "Bearer"}
            told |= {"id_token": self.token(algorithm, header={"typ": "JWT"}, number=number, **id_told)}
            return httpx2.Response(200, json=told)
        return super().__call__(request)

    async def proven(self, attempt: Attempt = ATTEMPT, answer: dict[str, str] = ANSWER, **page: Any) -> Proven:
        async with self.client() as client:
            return await self.party(client, **page).proven(attempt, answer)

    def party(self, client: httpx2.AsyncClient, **page: Any) -> RelyingParty:
        section = PageSection(client_id="the-pages", client_secret="env:S", **page)
        return RelyingParty(
            ISSUER, section, "se/cret", client, self.keys(client), self.verifier(client),
            resource=RESOURCE.url, redirect_uri=BACK, scopes=("cliniko:read",), clock=self.clock,
        )  # fmt: skip


async def test_who_comes_back_is_whom_the_token_of_a_call_would_name() -> None:
    provider = Provider(id_claims={"sub": "another for each client"})
    proven = await provider.proven()
    assert (proven.person.principal, proven.at) == (f"{ISSUER}|4711", 0.0)
    (sent,) = provider.sent
    form = dict(httpx2.QueryParams(sent.content.decode()))
    assert form == {
        "grant_type": "authorization_code",
        "code": "the code",
        "redirect_uri": BACK,
        "code_verifier": "the verifier",
        "resource": RESOURCE.url,
    }
    assert httpx2.BasicAuth("the-pages", "se%2Fcret")._auth_header == sent.headers["authorization"]


async def test_an_issuer_that_wants_the_secret_in_the_form_gets_it_there() -> None:
    provider = Provider(metadata={"token_endpoint_auth_methods_supported": ["client_secret_post"]})
    await provider.proven()
    assert "authorization" not in provider.sent[0].headers
    assert httpx2.QueryParams(provider.sent[0].content.decode())["client_secret"] == "se/cret"


async def test_a_person_is_sent_with_what_the_issuer_needs_and_the_settings_add() -> None:
    provider = Provider()
    async with provider.client() as client:
        party = provider.party(client, parameters={"audience": RESOURCE.url, "resource": ""}, acr_values=("strong",))
        usual = httpx2.URL(await party.address(ATTEMPT, ("cliniko:approve",)))
        fresh = httpx2.URL(await party.address(FRESH)).params
    assert dict(usual.params) == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "the-pages",
        "redirect_uri": BACK,
        "scope": "openid cliniko:read cliniko:approve",
        "state": "the state",
        "nonce": "the nonce",
        # Of RFC 7636, over "the verifier".
        "code_challenge": usual.params["code_challenge"],
        "code_challenge_method": "S256",
        "audience": RESOURCE.url,
    }
    assert (fresh["prompt"], fresh["max_age"], fresh["acr_values"]) == ("login", "300", "strong")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["the-pages", "another"]},
        {"azp": "another"},
        {"iss": "https://login.example.org/realms/others"},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"number": 1},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_the_answer_lets_nobody_in(claims: dict[str, Any]) -> None:
    with pytest.raises(LoginRefused, match="id token"):
        await Provider(id_claims=claims).proven()


@pytest.mark.parametrize(
    "answer",
    [
        {**ANSWER, "state": "another"},
        {"iss": ISSUER, "code": "the code"},
        {**ANSWER, "iss": "https://login.example.org/realms/others"},
        {"state": "the state", "code": "the code"},
        {"state": "the state", "iss": ISSUER},
        {**ANSWER, "error": "access_denied"},
    ],
    ids=str,
)
async def test_an_answer_of_somebody_else_asks_for_no_token(answer: dict[str, str]) -> None:
    provider = Provider()
    with pytest.raises(LoginRefused):
        await provider.proven(answer=answer)
    assert provider.sent == []


async def test_an_issuer_that_does_not_name_itself_in_answers_is_believed_without_it_and_never_by_another_name() -> (
    None
):
    provider = Provider(metadata={"authorization_response_iss_parameter_supported": False})
    assert await provider.proven(answer={"state": "the state", "code": "the code"})
    with pytest.raises(LoginRefused):
        await provider.proven(answer={**ANSWER, "iss": f"{ISSUER}/"})


@pytest.mark.parametrize("claims", [{"aud": "https://elsewhere.example.org/mcp"}, {"sub": None}, {"exp": 1}], ids=str)
async def test_an_access_token_that_a_call_could_not_use_lets_nobody_in(claims: dict[str, Any]) -> None:
    with pytest.raises(LoginRefused, match="access token is refused"):
        await Provider(access_claims=claims).proven()


async def test_a_fresh_login_is_one_of_the_last_five_minutes_by_the_issuers_own_word() -> None:
    provider = Provider()
    now = provider.clock.now.timestamp()
    for at, good in ((None, False), (now - 331, False), (now + 31, False), (now - 299, True), (now, True)):
        provider.id_claims = {"auth_time": at}
        if good:
            assert (await provider.proven(FRESH)).at == at
        else:
            with pytest.raises(LoginRefused, match="just logged in"):
                await provider.proven(FRESH)
    provider.id_claims = {"auth_time": now - 5_000}
    assert (await provider.proven()).at == now - 5_000


async def test_a_login_that_was_not_as_strong_as_is_asked_is_not_fresh() -> None:
    provider = Provider()
    now = provider.clock.now.timestamp()
    for acr, good in ((None, False), ("weak", False), ("strong", True)):
        provider.id_claims = {"auth_time": now, "acr": acr}
        assert (await provider.proven(acr_values=("strong",))).at == (now if good else 0.0)
        if not good:
            with pytest.raises(LoginRefused):
                await provider.proven(FRESH, acr_values=("strong",))


async def test_an_issuer_that_is_away_is_told_apart_from_one_that_refuses() -> None:
    provider = Provider(status=400)
    with pytest.raises(LoginRefused, match="invalid_grant"):
        await provider.proven()
    provider.status = 500
    with pytest.raises(IssuerUnavailable):
        await provider.proven()
    provider.away = True
    with pytest.raises(IssuerUnavailable):
        await provider.proven()


async def test_logins_that_anybody_begins_do_not_each_ask_the_issuer_and_a_minute_later_it_is_looked_at_anew() -> None:
    provider = Provider()
    async with provider.client() as client:
        party = provider.party(client)
        for _ in range(20):
            assert (await party.address(ATTEMPT)).startswith(f"{ISSUER}/auth?")
        provider.metadata = {"authorization_endpoint": f"{ISSUER}/moved"}
        assert (await party.address(ATTEMPT)).startswith(f"{ISSUER}/auth?")
        provider.clock.pass_by(60)
        assert (await party.address(ATTEMPT)).startswith(f"{ISSUER}/moved?")
