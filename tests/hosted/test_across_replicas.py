"""Three replicas, each asked by itself: what was asked at one is answered at the next and acted on at the third, once.

HOSTED promises the same when all of them are restarted in between, as long as Redis is kept.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.protocol.hosting import account_of
from cliniko_mcp.settings import Settings
from tests.hosted.replicas import ACCOUNT, ClinicApart, Older, Page, Replicas, call, clinic_apart, envelope, replicas
from tests.shared_state.redis_server import RedisServer

pytestmark = pytest.mark.long
YES = {"approval": {"action": "accept", "content": {"approve": True}}}
NO = {"approval": {"action": "decline"}}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}},
    "io.modelcontextprotocol/clientInfo": {"name": "replicas", "version": "1"},
}
OPENED = {"approval": {"action": "accept"}}
patients: list[str] = []


@pytest.fixture(scope="module")
def clinic() -> Iterator[ClinicApart]:
    with clinic_apart("--rate-limit", "0") as found:
        yield found


@pytest.fixture(scope="module")
def shared(redis: RedisServer, clinic: ClinicApart) -> tuple[str, ...]:
    return before(clinic, redis)


def before(clinic: ClinicApart, redis: RedisServer) -> tuple[str, ...]:
    """What is said of Redis, and the flags, for replicas before this clinic."""
    redis.trusted(account_of(Settings.load({"base_url": clinic.url}, ACCOUNT)))
    return f'[redis]\nurl = "{redis.url}"\n', "--base-url", clinic.url, "--approval-wait", "6"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, shared: tuple[str, ...]) -> Iterator[Replicas]:
    with replicas(tmp_path_factory.mktemp("hosted"), *shared, number=3) as found:
        yield found


def patient_of(served: Replicas) -> str:
    """Somebody whom nobody else asks about. The list is read once, or its requests would use up the limit."""
    if not patients:
        found = envelope(call(served.address, "ana", "list_patients", limit=100, fields="id"))
        patients.extend(str(row["id"]) for row in found["items"])
    return patients.pop()


def archived(clinic: ClinicApart, patient: str) -> int:
    return clinic.requests("POST").count(f"/v1/patients/{patient}/archive")


def page_at(address: str, who: str = "ana") -> Page:
    page = Page(address)
    page.post(code=f"code of {who}")
    return page


@pytest.fixture(scope="module")
def ana(three: Replicas) -> Page:
    """Ana's browser, which meets the second replica."""
    return page_at(three.at(1))


def answered(asked: dict[str, Any], responses: dict[str, Any]) -> dict[str, Any]:
    """What a client sends along when it calls again."""
    return {"requestState": asked["requestState"], "inputResponses": responses}


def test_what_one_asked_is_approved_through_the_second_and_done_by_the_third_once(
    three: Replicas, clinic: ClinicApart, ana: Page
) -> None:
    patient = patient_of(three)
    asked = call(three.at(0), "ana", "archive_patient", meta=META, id=patient)
    led = asked["inputRequests"]["approval"]["params"]
    assert (led["mode"], "elicitationId" in led) == ("url", False)
    assert ana.led_to(led["url"])[0] == 200
    ana.answer("approve")
    again = answered(asked, OPENED)
    told = [call(three.at(2), "ana", "archive_patient", meta=META, id=patient, **again) for _ in range(2)]
    assert ["Archived" in envelope(one)["done"] for one in told] == [True, True]
    assert archived(clinic, patient) == 1


def test_all_who_race_on_one_yes_are_one_act(three: Replicas, clinic: ClinicApart, ana: Page) -> None:
    patient = patient_of(three)
    asked = call(three.at(0), "ana", "archive_patient", meta=META, id=patient)

    def again(number: int) -> str:
        more = answered(asked, OPENED) if number % 2 else {}
        return str(envelope(call(three.at(number % 3), "ana", "archive_patient", meta=META, id=patient, **more)))

    with ThreadPoolExecutor(7) as calls:
        waiting = [calls.submit(again, number) for number in range(6)]
        calls.submit(ana.answer, "approve").result()
        told = [one.result() for one in waiting]
    assert any("Archived" in one for one in told), told
    assert archived(clinic, patient) == 1, told


@pytest.mark.parametrize("channel", ["form", "page"])
def test_what_changed_between_question_and_answer_is_asked_anew(
    three: Replicas, clinic: ClinicApart, ana: Page, channel: str
) -> None:
    patient = patient_of(three)
    meta = {} if channel == "form" else {"meta": META}
    asked = call(three.at(0), "ana", "archive_patient", id=patient, **meta)
    renamed = call(three.at(1), "ana", "update_patient", id=patient, last_name=f"Changed {channel}")
    assert "item" in envelope(renamed)
    more = answered(asked, YES if channel == "form" else OPENED)
    second = call(three.at(2), "ana", "archive_patient", id=patient, **meta, **more)
    assert second["requestState"] != asked["requestState"]
    shown = ana.get() if channel == "page" else second["inputRequests"]["approval"]["params"]["message"]
    assert f"Changed {channel}" in shown
    assert archived(clinic, patient) == 0
    more = answered(second, NO)
    assert envelope(call(three.at(0), "ana", "archive_patient", id=patient, **meta, **more))["code"] == "declined"


@pytest.mark.parametrize("channel", ["form", "address", "page"])
def test_a_no_at_one_is_a_no_at_all_of_them_and_nobody_elses(
    three: Replicas, clinic: ClinicApart, ana: Page, channel: str
) -> None:
    patient = patient_of(three)
    meta = {} if channel == "form" else {"meta": META}
    asked = call(three.at(0), "ana", "archive_patient", id=patient, **meta)
    if channel == "page":
        assert "Denied" in ana.answer("deny")
    else:
        told = call(three.at(1), "ana", "archive_patient", id=patient, **meta, **answered(asked, NO))
        assert envelope(told)["code"] == "declined"
    for number in range(3):
        told = call(three.at(number), "ana", "archive_patient", id=patient, **meta)
        assert envelope(told)["code"] == "declined"
    other = call(three.at(2), "ben", "archive_patient", id=patient, **meta)
    assert "inputRequests" in other, "ben is asked himself"
    told = call(three.at(1), "ben", "archive_patient", id=patient, **meta, **answered(other, NO))
    assert envelope(told)["code"] == "declined"
    assert archived(clinic, patient) == 0


def test_nothing_that_one_person_has_is_of_use_to_another(three: Replicas, clinic: ClinicApart, ana: Page) -> None:
    cursor = envelope(call(three.at(0), "ana", "list_patients", limit=2))["page"]["next_cursor"]
    assert envelope(call(three.at(1), "ben", "list_patients", cursor=cursor))["code"] == "invalid_cursor"
    assert envelope(call(three.at(2), "ana", "list_patients", cursor=cursor))["items"]
    patient = patient_of(three)
    asked = call(three.at(0), "ana", "archive_patient", meta=META, id=patient)
    stolen = call(three.at(1), "ben", "archive_patient", meta=META, id=patient, **answered(asked, OPENED))
    assert stolen["error"]["code"] == -32602
    ben, led = page_at(three.at(2), "ben"), asked["inputRequests"]["approval"]["params"]["url"]
    assert ben.led_to(led)[0] == 403
    assert "Nothing is waiting" in ben.get()
    told = envelope(call(three.at(1), "ben", "archive_patient", meta=META, id=patient))
    assert told["code"] == "approval_needed", "somebody else is being asked about this record"
    ana.answer("approve")
    told = envelope(call(three.at(1), "ana", "archive_patient", meta=META, id=patient, **answered(asked, OPENED)))
    assert "Archived" in told["done"]
    told = envelope(call(three.at(2), "ben", "archive_patient", meta=META, id=patient))
    assert "done" not in told, "what ana approved is not what ben asked for"
    assert archived(clinic, patient) == 1


@pytest.fixture
def another() -> Iterator[ClinicApart]:
    """A clinic whose limit no other test has used up."""
    with clinic_apart("--rate-limit", "0") as found:
        yield found


def test_all_of_them_may_be_restarted_between_question_and_answer(
    tmp_path: Path, redis: RedisServer, another: ClinicApart, ana: Page
) -> None:
    shared = before(another, redis)
    asked: dict[str, dict[str, Any]] = {}
    with replicas(tmp_path, *shared) as first:
        cursor = envelope(call(first.address, "ana", "list_patients", limit=2))["page"]["next_cursor"]
        older = Older(first.address, "ana", url={})
        for meta in ({}, {"meta": META}):
            patient = patient_of(first)
            asked[patient] = call(first.address, "ana", "archive_patient", id=patient, **meta)
        formed, paged = asked
        declined = patient_of(first)
        question = call(first.address, "ana", "archive_patient", id=declined)
        told = call(first.address, "ana", "archive_patient", id=declined, **answered(question, NO))
        assert envelope(told)["code"] == "declined"
    with replicas(tmp_path, *shared) as after:
        assert envelope(call(after.address, "ana", "list_patients", cursor=cursor))["items"]
        told = call(after.address, "ana", "archive_patient", id=formed, **answered(asked[formed], YES))
        assert "Archived" in envelope(told)["done"]
        ana.moved_to(after.address)  # with the browser that was known before
        assert "Approved" in ana.answer("approve")
        again = answered(asked[paged], OPENED)
        told = call(after.address, "ana", "archive_patient", meta=META, id=paged, **again)
        assert "Archived" in envelope(told)["done"]
        assert envelope(call(after.address, "ana", "archive_patient", id=declined))["code"] == "declined"
        older.moved_to(after.address)
        assert envelope(older.call("list_patients", limit=1))["items"]
    assert [archived(another, patient) for patient in (formed, paged, declined)] == [1, 1, 0]
