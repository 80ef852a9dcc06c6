"""People who answer: by a form in their assistant, or on the approvals page in their browser."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import httpx2

from benchmarks.hosted.callers import META, Answer, Call, Client
from benchmarks.hosted.stage import PUBLIC, code_of

_FORMS: Final[Mapping[str, Any]] = {
    **META,
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
}
_YES: Final = {"action": "accept", "content": {"approve": True}}
_ORIGIN: Final = PUBLIC.removesuffix("/mcp")


class Form:
    """A person whose assistant shows forms, and who is asked whether a patient is to be archived."""

    def __init__(self, address: str, who: str) -> None:
        self._client = Client(address)
        self._who = who
        self._asked: Call | None = None

    async def ask(self, patient: str) -> None:
        """Have them asked about this patient. Raises AssertionError where they are not."""
        call = Call(self._who, "archive_patient", {"id": patient}, more={"_meta": _FORMS})
        answer = await self._client.call(call)
        assert answer.outcome == "asked", answer
        result = answer.message["result"]
        responses = {next(iter(result["inputRequests"])): _YES}
        retried = {"requestState": result["requestState"], "inputResponses": responses}
        self._asked = replace(call, more={"_meta": _FORMS, **retried})

    async def yes(self) -> Answer:
        """Say yes to it, with whatever comes of that."""
        assert self._asked is not None
        return await self._client.call(self._asked)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


class Browser:
    """A person's browser, which their code has made known to the approvals page."""

    def __init__(self, address: str, who: str) -> None:
        self._origin = address.removesuffix("/mcp")
        self._who = who
        limits = httpx2.Limits(max_connections=1, max_keepalive_connections=0)
        self._http = httpx2.AsyncClient(trust_env=False, timeout=120, limits=limits, verify=False)
        self._cookie = ""

    async def open(self) -> None:
        """Come with the code. Raises AssertionError where it is not good."""
        answer = await self._sent("POST", {"code": code_of(self._who)}, "/login")
        self._cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        assert answer.status_code == 303 and self._cookie, answer.text

    async def approve_all(self) -> int:
        """Say yes to every question on the page, one after another; to how many that was the answer."""
        text, approved = (await self._sent("GET")).text, 0
        csrf = re.search(r'name=csrf value="([^"]+)"', text)
        questions = dict.fromkeys(re.findall(r'name=question value="([^" ]+)"', text))
        for question in questions:
            assert csrf is not None
            form = {"csrf": csrf[1], "question": question, "decision": "approve"}
            answer = await self._sent("POST", form)
            assert answer.status_code == 303, answer.text
            approved += "outcome=APPROVED" in answer.headers["location"]  # those approved before stand there too
        return approved

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def _sent(
        self, method: str, form: Mapping[str, str] | None = None, path: str = "/approvals"
    ) -> httpx2.Response:
        headers = {"host": httpx2.URL(PUBLIC).host, "origin": _ORIGIN, "cookie": self._cookie}
        return await self._http.request(method, f"{self._origin}{path}", data=form, headers=headers)
