"""Approving at an address that the assistant opens, over HTTP, in both eras, with the clients of both SDKs.

Forms are not trusted here (`--confirm strict`). One server keeps sessions; two others are behind a balancer and keep
none, so that each request of a client may meet the other one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Timer

import pytest

from cliniko_mcp.protocol.hosting import account_of
from cliniko_mcp.settings import Settings
from tests.hosted.assistants import assistant, typescript
from tests.hosted.replicas import ACCOUNT, ClinicApart, Page, Replicas, call, clinic_apart, envelope, replicas
from tests.shared_state.redis_server import RedisServer

pytestmark = [pytest.mark.long, pytest.mark.anyio]
ERAS = ("2026-07-28", "legacy")
KEPT, SEALED = "sessions kept by one", "sessions sealed, two replicas"
people, patients = count(), count()


@pytest.fixture(scope="module")
def clinic() -> Iterator[ClinicApart]:
    with clinic_apart("--rate-limit", "0") as found:
        yield found


@pytest.fixture(scope="module", params=[KEPT, SEALED])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clinic: ClinicApart
) -> Iterator[Replicas]:
    more, number = "", 1
    if request.param == SEALED:
        redis = request.getfixturevalue("redis")
        assert isinstance(redis, RedisServer)
        redis.trusted(account_of(Settings.load({"base_url": clinic.url}, ACCOUNT)))
        more, number = f'[redis]\nurl = "{redis.url}"\n', 2
    flags = ("--base-url", clinic.url, "--confirm", "strict", "--approval-wait", "8")
    known: dict[str, dict[str, str]] = {f"person-{one}": {} for one in range(60)}
    with replicas(tmp_path_factory.mktemp("hosted"), more, *flags, people=known, number=number) as found:
        yield found


@dataclass
class Somebody:
    """A person who came to their approvals page just now."""

    who: str
    page: Page


def somebody(served: Replicas) -> Somebody:
    who = f"person-{next(people)}"
    page = Page(served.address)
    page.post(code=f"code of {who}")
    return Somebody(who, page)


@pytest.fixture
def ana(served: Replicas) -> Somebody:
    return somebody(served)


@pytest.fixture
def patient(served: Replicas, ana: Somebody) -> str:
    """Somebody whom no other test archives."""
    number = next(patients)
    return str(envelope(call(served.address, ana.who, "list_patients", limit=number + 1))["items"][number]["id"])


@pytest.fixture
def archived(clinic: ClinicApart, patient: str) -> Callable[[], int]:
    """How often this patient has been archived."""
    return lambda: clinic.requests("POST").count(f"/v1/patients/{patient}/archive")


def approved_by(page: Page) -> Callable[[str], str]:
    """A person who opens the address in this browser and approves there before they go back."""

    def approve(address: str) -> str:
        status, shown = page.led_to(address)
        assert (status, "One question for you" in shown) == (200, True)
        answered = page.answer("approve")
        assert any(word in answered for word in ("Approved", "Archived", "Being done")), answered
        return "accept"

    return approve


@pytest.mark.parametrize("era", [*ERAS, "auto"])
async def test_a_person_who_is_led_to_their_page_approves_there_and_it_is_done_once(
    served: Replicas, ana: Somebody, era: str, patient: str, archived: Callable[[], int]
) -> None:
    async with assistant(served.address, ana.who, era, approved_by(ana.page)) as theirs:
        assert "Archived" in (await theirs.call("archive_patient", id=patient))["done"]
        (address,) = theirs.led_to
        assert address.startswith("https://mcp.example.org/approvals/")
        assert theirs.over in ([], [address.rpartition("/")[2]])
    assert archived() == 1


@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_that_comes_while_the_call_waits_is_acted_on_by_it(
    served: Replicas, ana: Somebody, era: str, patient: str, archived: Callable[[], int]
) -> None:
    def later(address: str) -> str:
        Timer(2.5, approved_by(ana.page), [address]).start()
        return "accept"

    async with assistant(served.address, ana.who, era, later) as theirs:
        told = await theirs.call("archive_patient", id=patient)
        while told.get("code") == "approval_needed":  # a call of a host that nothing is known of waits 3.5 seconds
            assert theirs.required
            told = await theirs.call("archive_patient", id=patient)
        assert "Archived" in told["done"]
        assert theirs.required or "Waiting for a person to approve or deny." in theirs.progress
        if era == "legacy" and not theirs.required:
            assert theirs.over == [address.rpartition("/")[2] for address in theirs.led_to]
    assert archived() == 1


@pytest.mark.parametrize("era", ERAS)
async def test_who_does_not_want_to_open_it_has_said_no_where_the_client_can_say_so(
    served: Replicas, ana: Somebody, era: str, patient: str, archived: Callable[[], int]
) -> None:
    async with assistant(served.address, ana.who, era, lambda _: "decline") as theirs:
        told = await theirs.call("archive_patient", id=patient)
        assert told["code"] == ("not opened" if theirs.required else "declined")
        if theirs.required:  # an error takes no answer: the question waits
            ana.page.answer("deny")
        assert (await theirs.call("archive_patient", id=patient))["code"] == "declined"
        assert len(theirs.led_to) == 1, "nobody is asked again after a no"
    assert archived() == 0


@pytest.mark.parametrize("era", ERAS)
async def test_that_it_was_opened_approves_nothing(
    served: Replicas, ana: Somebody, era: str, patient: str, archived: Callable[[], int]
) -> None:
    async with assistant(served.address, ana.who, era, lambda address: ana.page.led_to(address) and "accept") as theirs:
        told = await theirs.call("archive_patient", id=patient)
        assert (told["code"], "https://mcp.example.org/approvals" in told["message"]) == ("approval_needed", True)
        assert (archived(), len(theirs.led_to)) == (0, 1)
        assert "Denied" in ana.page.answer("deny")
        assert (await theirs.call("archive_patient", id=patient))["code"] == "declined"
    assert archived() == 0


@pytest.mark.parametrize("era", ERAS)
async def test_somebody_else_who_opens_it_is_refused_and_answers_nothing(
    served: Replicas, ana: Somebody, era: str, patient: str, archived: Callable[[], int]
) -> None:
    ben = somebody(served).page

    def led_ben(address: str) -> str:
        assert ben.led_to(address)[0] == 403
        assert "Archive" not in Page(served.address).led_to(address)[1], "nobody is shown it who is not known"
        question = {"question": address.rpartition("/")[2], "csrf": Page.csrf_in(ana.page.get())}
        assert ben.post(decision="approve", **question).status_code == 403
        return "cancel"

    async with assistant(served.address, ana.who, era, led_ben) as theirs:
        assert (await theirs.call("archive_patient", id=patient))["code"] in ("approval_needed", "not opened")
    assert "Denied" in ana.page.answer("deny")
    assert archived() == 0


@pytest.mark.parametrize("era", ERAS)
def test_the_typescript_sdk_leads_its_person_there_too(
    served: Replicas, ana: Somebody, era: str, patient: str, archived: Callable[[], int], tmp_path: Path
) -> None:
    with typescript(tmp_path, served.address, ana.who, era, "archive_patient", id=patient) as script:
        led = script.told()["led"]
        assert approved_by(ana.page)(led["url"]) == "accept"
        script.say("accept")
        ended = script.told()
        assert "Archived" in ended["answer"]["done"]
        assert ended["over"] in ([], [led.get("elicitationId")])
    assert archived() == 1


@pytest.mark.parametrize("era", ERAS)
def test_a_person_of_the_typescript_sdk_declines(
    served: Replicas, ana: Somebody, era: str, patient: str, archived: Callable[[], int], tmp_path: Path
) -> None:
    with typescript(tmp_path, served.address, ana.who, era, "archive_patient", id=patient) as script:
        required = script.told()["led"].get("required", False)
        script.say("decline")
        assert script.told()["answer"]["code"] == ("not opened" if required else "declined")
    if required:
        ana.page.answer("deny")
    assert archived() == 0
