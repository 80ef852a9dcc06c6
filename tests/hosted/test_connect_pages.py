"""The page on which a person gives their own key, and what their assistant is told before and after it."""

import json
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from cliniko_mcp.approvals.page_at import PageAt
from cliniko_mcp.directory.clinics_changes import change_clinic, remove_clinic
from cliniko_mcp.errors import ApprovalNeeded, KeyRefused, NotLinked
from tests.hosted.own_keys import ADMINISTRATOR, ELSEWHERE, ORIGIN, PRACTITIONER, RECEPTIONIST, Stage, staged

pytestmark = [pytest.mark.anyio, pytest.mark.long]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


async def test_without_a_key_the_assistant_is_told_where_the_person_gives_one(stage: Stage) -> None:
    with pytest.raises(NotLinked) as told:
        await stage.call("tom", "list_patients", limit=1)
    assert told.value.code == "not_linked"
    assert f"{ORIGIN}/connect/north" in told.value.fix
    assert stage.cliniko.asked == []


async def test_whose_key_it_is_is_shown_before_it_is_kept_and_then_they_work_in_it(stage: Stage) -> None:
    async with stage.browser("tom") as browser:
        assert "Your key for north" in browser.text
        assert "You have not given" not in browser.text
        await browser.send("/connect/north", key=PRACTITIONER)
        assert "Is this right?" in browser.text and "Tom Okafor, practitioner" in browser.text
        assert PRACTITIONER not in browser.text
        with pytest.raises(NotLinked):
            await stage.call("tom", "list_patients", limit=1)
        await browser.send("/connect/north", step="yes")
        assert "Your key is kept" in browser.text and "Tom Okafor, practitioner" in browser.text
    stage.cliniko.asked.clear()
    assert (await stage.call("tom", "list_patients", limit=1))["items"]
    assert {key for key, _ in stage.cliniko.asked} == {PRACTITIONER}


async def test_each_works_in_their_own_key_and_the_clinics_log_names_them(stage: Stage) -> None:
    await stage.give("tom", PRACTITIONER)
    await stage.give("finn", RECEPTIONIST)
    stage.cliniko.asked.clear()
    for who in ("tom", "finn"):
        await stage.call(who, "list_patients", limit=1)
    assert {key for key, path in stage.cliniko.asked if path == "/v1/patients"} == {PRACTITIONER, RECEPTIONIST}
    told = [(line["operation"], line["outcome"], line["principal"]) for line in stage.log()]
    assert told[:2] == [("login", "granted", "people:tom"), ("login", "granted", "people:finn")]
    assert PRACTITIONER not in json.dumps(stage.log())


async def test_a_key_of_another_clinic_is_refused_with_the_reason(stage: Stage) -> None:
    text = await stage.give("tom", ELSEWHERE)
    assert "This is a key of Southside" in text
    assert stage.log()[-1]["outcome"] == "refused"
    with pytest.raises(NotLinked):
        await stage.call("tom", "list_patients", limit=1)


async def test_a_key_that_cliniko_does_not_take_is_refused_and_after_ten_nobody_is_asked(stage: Stage) -> None:
    async with stage.browser("tom") as browser:
        for number in range(10):
            answer = await browser.send("/connect/north", key=f"wrong{number}-au1")
            assert (answer.status_code, "does not take this key" in browser.text) == (422, True)
        stage.cliniko.asked.clear()
        assert (await browser.send("/connect/north", key=PRACTITIONER)).status_code == 429
        assert stage.cliniko.asked == []


async def test_the_key_of_somebody_elses_user_is_refused(stage: Stage) -> None:
    await stage.give("tom", PRACTITIONER)
    assert "Somebody else here works with a key of Tom Okafor already" in await stage.give("finn", PRACTITIONER)
    with pytest.raises(NotLinked):
        await stage.call("finn", "list_patients", limit=1)


async def test_a_key_that_cliniko_refuses_later_is_erased_and_said_on_the_page_and_to_the_assistant(
    stage: Stage,
) -> None:
    await stage.give("tom", PRACTITIONER)
    await stage.call("tom", "list_patients", limit=1)
    stage.cliniko.deleted.add(PRACTITIONER)
    with pytest.raises(KeyRefused) as problem:
        await stage.call("tom", "list_patients", limit=1, last_name="x")
    told = await stage.pool.key_refused(stage.person("tom"), problem.value)
    assert f"{ORIGIN}/connect/north" in told.fix
    stage.cliniko.asked.clear()
    with pytest.raises(KeyRefused, match="no longer takes this person's API key"):
        await stage.call("tom", "list_patients", limit=1)
    assert stage.cliniko.asked == []
    (row,) = await stage.directory.directory.keys()
    assert row.sealed == b""
    assert stage.log()[-1]["outcome"] == "ended"
    async with stage.browser("tom") as browser:
        assert "Cliniko refused your key" in browser.text and "It is not used any more" in browser.text
    stage.cliniko.deleted.clear()
    assert "Your key is kept" in await stage.give("tom", PRACTITIONER)
    assert (await stage.call("tom", "list_patients", limit=1))["items"]


async def test_a_clinic_that_cannot_be_reached_or_a_call_that_is_forbidden_erases_nothing(stage: Stage) -> None:
    await stage.give("tom", PRACTITIONER)
    problem = KeyRefused("by a proxy on the way")
    assert await stage.pool.key_refused(stage.person("tom"), problem) is problem
    assert (await stage.call("tom", "list_patients", limit=1))["items"]


async def test_a_key_that_is_forgotten_is_gone_at_the_next_call(stage: Stage) -> None:
    await stage.give("tom", PRACTITIONER)
    await stage.call("tom", "list_patients", limit=1)
    async with stage.browser("tom") as browser:
        await browser.send("/connect/north", step="forget")
        assert "Your key is forgotten here" in browser.text
    with pytest.raises(NotLinked):
        await stage.call("tom", "list_patients", limit=1)
    assert await stage.directory.directory.keys() == []
    assert len(stage.pool.apps) == 0


async def test_a_newer_key_is_used_from_the_next_call_on(stage: Stage) -> None:
    await stage.give("tom", PRACTITIONER)
    await stage.call("tom", "list_patients", limit=1)
    await stage.give("tom", RECEPTIONIST)
    stage.cliniko.asked.clear()
    await stage.call("tom", "list_patients", limit=1)
    assert {key for key, _ in stage.cliniko.asked} == {RECEPTIONIST}
    assert len(stage.pool.apps) == 1


async def test_nobody_without_a_login_and_no_other_site_gives_a_key(stage: Stage) -> None:
    async with stage.browser() as nobody:
        await nobody.open("/connect/north")
        assert "Your code" in nobody.text and "north" not in re.sub("/connect/north", "", nobody.text)
        assert (await nobody.send("/connect/north", key=PRACTITIONER)).status_code == 403
    async with stage.browser("tom") as tom, stage.browser("finn") as finn:
        assert (await tom.send("/connect/north", origin="https://evil.example", key=PRACTITIONER)).status_code == 403
        await tom.open("/connect/north")
        assert (await tom.send("/connect/north", key=PRACTITIONER, csrf="0" * 64)).status_code == 403
        await tom.open("/connect/north")
        await tom.send("/connect/north", key=PRACTITIONER)
        pasted = tom.text.split('name="pasted" value="')[1].partition('"')[0]
        assert "opened too long ago" in (await finn.send("/connect/north", step="yes", pasted=pasted)).text
        stage.clock[0] += 601
        assert "opened too long ago" in (await tom.send("/connect/north", step="yes")).text
    assert await stage.directory.directory.keys() == []


async def test_a_clinic_that_is_not_theirs_or_is_none_is_answered_alike(stage: Stage) -> None:
    async with stage.browser("eve") as eve:
        answers = [await eve.open(f"/connect/{clinic}") for clinic in ("north", "west")]
        assert {(answer.status_code, "There is no such clinic here" in answer.text) for answer in answers} == {
            (404, True)
        }
        assert (await eve.open("/connect")).headers["location"] == "/connect/south"
        await eve.open("/connect/south")
        assert "Everybody works with one key here" in eve.text
        assert (await eve.send("/connect/south", step="key", key=PRACTITIONER)).status_code in (403, 404)


async def test_all_clinics_of_a_person_are_listed_with_how_they_stand(stage: Stage) -> None:
    async with stage.browser("tom") as tom:
        await tom.open("/connect")
        assert "You have not given your key yet" in tom.text and "Everybody works with one key here" in tom.text
        await stage.give("tom", PRACTITIONER)
        await tom.open("/connect")
        assert "You work with the key of Tom Okafor" in tom.text


async def test_while_the_clinics_own_key_is_refused_nobodys_is_taken(stage: Stage) -> None:
    stage.cliniko.deleted.add(ADMINISTRATOR)
    assert "cannot be known just now" in await stage.give("tom", PRACTITIONER)
    assert await stage.directory.directory.keys() == []


async def test_a_clinic_that_is_served_otherwise_is_so_at_once_for_apps_that_are_open(stage: Stage) -> None:
    await stage.give("tom", PRACTITIONER)
    for clinic in ("north", "south"):
        await stage.call("tom", "list_patients", clinic, limit=1)
        await change_clinic(stage.directory.store, clinic, {"read_only": True})
    stage.clock[0] += 5
    for clinic in ("north", "south"):
        app = await stage.pool.app_of(stage.person("tom", clinic))
        assert app.settings.read_only
    await remove_clinic(stage.directory.store, "north")
    stage.clock[0] += 5
    with pytest.raises(KeyRefused, match="may not work"):
        await stage.call("tom", "list_patients", limit=1)
    await anyio.lowlevel.checkpoint()
    assert len(stage.pool.apps) == 1


async def test_what_one_person_changes_is_not_remembered_otherwise_by_the_others_of_the_clinic(stage: Stage) -> None:
    await stage.give("tom", PRACTITIONER)
    await stage.give("finn", ADMINISTRATOR)
    sites = (await stage.call("tom", "list_businesses", limit=5))["items"]
    await stage.call("tom", "find_patients", query="Zimt")
    site = sites[0]["id"]
    await stage.call("finn", "update_business", id=site, business_name="Newmark")
    named = (await stage.call("tom", "list_businesses", detail="full"))["items"]
    assert "Newmark" in {one["business_name"] for one in named}


async def test_a_yes_after_the_key_was_forgotten_is_not_carried_out_in_it(stage: Stage) -> None:
    stage.pool._page = PageAt(f"{ORIGIN}/approvals")
    await stage.give("tom", ADMINISTRATOR)
    person = replace(stage.person("tom"), clinic=None)
    patient = (await stage.call("tom", "list_patients", limit=1))["items"][0]["id"]
    with pytest.raises(ApprovalNeeded):
        await stage.call("tom", "archive_patient", id=patient)
    async with stage.browser("tom") as browser:
        await browser.send("/connect/north", step="forget")
        assert "Your key is forgotten here" in browser.text
    stage.cliniko.asked.clear()
    north, _ = await stage.pool.questions(person)
    (asked,) = await north.ledger.waiting()
    assert await north.ledger.decide(asked.question.challenge, True, "page")
    with anyio.fail_after(5):
        while asked.ending is None:  # noqa: ASYNC110 - it is carried out, or not, without a call
            await anyio.sleep(0.05)
    assert (asked.ending, stage.cliniko.asked) == ("failed", [])
    assert stage.log()[-1]["outcome"] == "key_refused"


async def test_good_keys_are_counted_as_well_because_the_clinics_own_asks_each_time(stage: Stage) -> None:
    async with stage.browser("tom") as browser:
        for _ in range(10):
            await browser.open("/connect/north")
            await browser.send("/connect/north", key=PRACTITIONER)
            assert "Is this right?" in browser.text
        stage.cliniko.asked.clear()
        await browser.open("/connect/north")
        assert (await browser.send("/connect/north", key=PRACTITIONER)).status_code == 429
        assert stage.cliniko.asked == []


async def test_a_yes_to_what_somebody_asked_who_was_taken_out_since_is_not_carried_out(stage: Stage) -> None:
    stage.pool._page = PageAt(f"{ORIGIN}/approvals")
    patient = (await stage.call("eve", "list_patients", "south", limit=1))["items"][0]["id"]
    with pytest.raises(ApprovalNeeded):
        await stage.call("eve", "archive_patient", "south", id=patient)
    await change_clinic(stage.directory.store, "south", {"people": ("tom",)})
    stage.clock[0] += 10
    _, south = await stage.pool.questions(replace(stage.person("tom"), clinic=None))
    (asked,) = await south.ledger.waiting()
    stage.cliniko.asked.clear()
    assert await south.ledger.decide(asked.question.challenge, True, "page", by="people:tom")
    with anyio.fail_after(5):
        while asked.ending is None:  # noqa: ASYNC110 - the same
            await anyio.sleep(0.05)
    assert (asked.ending, stage.cliniko.asked) == ("failed", [])
