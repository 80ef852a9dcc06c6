"""The approval page as a document: what a person sees, for none, one and several questions, and afterwards."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from cliniko_mcp.approvals.decisions import Outcome
from cliniko_mcp.approvals.page_html import Shown, Viewer, not_yours_page, outcome_page, policy, questions_page
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Question, Verdict
from cliniko_mcp.approvals.shown import Account, Fact, Preview
from cliniko_mcp.errors import Rejected
from tests.approvals.desktop import seen
from tests.guards.gate import SYDNEY

NOW = 1_795_838_400.0
ACCOUNT = Account("Northside <Clinic>", "Mei Ng", zone=SYDNEY)


def asked(
    challenge: str = "c1", *, program: str = "", seconds: float = 600, preview: Preview | None = None
) -> PendingQuestion:
    question = Question(preview or seen("Ana & Bo", "Archive <patient>"), challenge, NOW + seconds, ACCOUNT)
    matter = Matter("local", "archive_patient", challenge, "patients/1", "")
    return PendingQuestion(matter, question, program, NOW - 60)


def page(*waiting: PendingQuestion, **more: Any) -> str:
    return questions_page(Shown(waiting=waiting, csrf="the-csrf", nonce="the-nonce", now=NOW, **more))


def told(outcome: Outcome, about: PendingQuestion | None = None, **more: Any) -> str:
    return outcome_page(outcome, about, Shown(path="/secret", nonce="the-nonce", now=NOW, **more))


def title(text: str) -> str:
    return re.findall("<title>(.*)</title>", text)[0]


def read(text: str) -> str:
    """What stands on the page below the clinic's name, as a person reads it."""
    (main,) = re.findall("<main>(.*)</main>", text, re.DOTALL)
    return " ".join(unescape(re.sub("<[^>]*>", " ", main)).split())


def headings(text: str) -> list[tuple[str, str]]:
    """The headings with their levels, as a screen reader lists them."""
    return [(level, unescape(words)) for level, words in re.findall(r"<(h\d)[^>]*>(.*?)</h\d>", text)]


def test_without_a_question_it_says_what_it_is_for_and_waits_by_itself() -> None:
    text = page()
    assert title(text) == "Nothing is waiting - Cliniko approvals"
    assert (
        "When an assistant wants to archive, delete or cancel something in Cliniko, the question appears here." in text
    )
    assert f'data-mark="{Shown().mark}" data-idle="yes"' in text
    assert "<form" not in text


def test_whose_clinic_it_is_stands_at_the_top_and_the_demo_clinic_in_a_band_across_the_page() -> None:
    text = page(asked())
    assert "<strong>Northside &lt;Clinic&gt;</strong>" in text and "The assistant works as Mei Ng" in text
    assert text.index("Northside") < text.index("<main>")
    assert "Demo clinic" not in text
    one = asked()
    one.question = replace(one.question, account=replace(ACCOUNT, demo=True))
    assert page(one).index("Demo clinic: nothing in it is real") < page(one).index("<header>")
    assert "<strong>Your clinic in Cliniko</strong>" in page()


def test_one_question_and_several_are_told_apart() -> None:
    one, two = page(asked()), page(asked("c1"), asked("c2"))
    assert title(one) == "(1) One question for you - Cliniko approvals"
    assert title(two) == "(2) 2 questions for you - Cliniko approvals"
    assert re.findall('name=question value="(.*?)"', two) == ["c1 c2", "c1", "c2"]
    assert 'id="what1"' in two and 'id="what2"' in two and 'id="what3"' not in two
    assert 'data-idle=""' in one
    assert "Nothing happens unless you approve." in one


def test_a_single_question_is_read_with_its_buttons_and_nothing_about_several() -> None:
    assert read(page(asked())) == (
        "One question for you An assistant wants to change something in Cliniko. Nothing happens unless you approve. "
        "Archive <patient>? Patient Ana & Bo It can be brought back. An assistant asked at 2:59 pm 10:00 left "
        "Keep it Archive <patient> Not like this"
    )


def test_questions_are_headed_below_their_group_as_soon_as_there_are_two() -> None:
    assert headings(page(asked())) == [("h1", "One question for you"), ("h2", "Archive <patient>?")]
    assert headings(page(asked("c1"), asked("c2"))) == [
        ("h1", "2 questions for you"),
        ("h2", "Archive <patient> · 2 questions"),
        ("h3", "Archive <patient>?"),
        ("h3", "Archive <patient>?"),
    ]


def test_several_are_grouped_by_what_they_do_denied_at_once_and_approved_one_by_one() -> None:
    text = page(asked("c1", preview=seen("A", "Delete it")), asked("c2"), asked("c3", preview=seen("B", "Delete it")))
    assert re.findall("<h2 class=group>(.*?)</h2>", text) == [
        "Archive &lt;patient&gt; · 1 question",
        "Delete it · 2 questions",
    ]
    assert text.count("value=deny_all>Deny all 3</button>") == 1
    assert text.count("value=approve ") == 3 and "approve_all" not in text
    assert "deny_all" not in page(asked())


def test_what_others_wrote_is_shown_as_text() -> None:
    text = page(asked(program="Host<"))
    assert "Archive &lt;patient&gt;?" in text
    assert "<dt>Patient</dt><dd>Ana &amp; Bo</dd>" in text
    assert "“Host&lt;” asked at 2:59&nbsp;pm" in text


def test_a_known_host_goes_by_the_name_that_people_know() -> None:
    assert "Claude Desktop asked at 2:59&nbsp;pm" in page(asked(program="claude-ai"))
    assert "An assistant asked at 2:59&nbsp;pm" in page(asked())


def test_facts_are_laid_out_as_facts_and_a_text_keeps_its_lines() -> None:
    facts = [Fact("Patient", "Ana Lima"), Fact("When", "Wed 2 Dec", "in 4 days"), Fact("Note", "one\n<two>")]
    losses = [Fact("Notes", "all of it")]
    shown = Preview("Cancel this", "Keep it", "Cancelled", facts, losses, ["They may be told."], "It is final.")
    text = page(asked(preview=shown))
    assert "<div><dt>When</dt><dd>Wed 2 Dec<span class=aside>, in 4 days</span></dd></div>" in text
    assert "<dt>Note</dt><dd class=text>one\n&lt;two&gt;</dd>" in text
    assert "This will be lost" in text and "<dt>Notes</dt><dd>all of it</dd>" in text
    assert "<li>They may be told.</li>" in text
    assert '<p class="undo">It is final.</p>' in text
    assert '<p class="undo can">' in page(asked(preview=replace(shown, restorable=True)))


def test_what_becomes_something_else_is_one_sentence_on_the_page_and_in_a_form_apart_from_what_is_gone() -> None:
    losses = [Fact("Email", "a@example.com"), Fact("Phone", "0400 <1>", becomes="0411 222")]
    shown = Preview("Change this", "Leave it", "Changed", [Fact("Patient", "Ana Lima")], losses)
    assert shown.text == (
        "Patient: Ana Lima\n\nThis will change:\nPhone: 0400 <1> will become 0411 222\n\n"
        "This will be lost:\nEmail: a@example.com"
    )
    text = page(asked(preview=shown))
    changing, gone = "<p>This will change</p><dl><div><dt>Phone</dt>", "<p>This will be lost</p><dl><div><dt>Email</dt>"
    assert 0 < text.index(changing) < text.index(gone)
    assert "<dd>0400 &lt;1&gt; <span class=becomes>will become</span> <strong>0411 222</strong></dd>" in text
    assert replace(shown, losses=[losses[0], replace(losses[1], becomes="0411 223")]).stated != shown.stated
    assert "lost" not in replace(shown, losses=losses[1:]).text
    assert "change" not in replace(shown, losses=losses[:1]).text


def test_a_text_that_takes_the_place_of_another_keeps_its_lines_on_the_page_and_in_a_form() -> None:
    losses = [Fact("Notes", "nothing", becomes="One.\nTwo <2>")]
    shown = Preview("Change this", "Leave it", "Changed", [Fact("Patient", "Ana Lima")], losses)
    assert "Notes: nothing will become:\n    One.\n    Two <2>" in shown.text
    text = page(asked(preview=shown))
    assert "<span class=becomes>will become</span> <div class=text><strong>One.\nTwo &lt;2&gt;</strong></div>" in text


@pytest.mark.parametrize(
    ("seconds", "left"),
    [(-5, "0:00 left"), (0, "0:00 left"), (59, "0:59 left"), (552.9, "9:12 left"), (600, "10:00 left")],
)
def test_the_time_that_is_left_is_shown_and_counts(seconds: float, left: str) -> None:
    assert f'data-left="{max(0, int(seconds))}">{left}</span>' in page(asked(seconds=seconds))


def test_the_buttons_name_the_act_and_return_presses_yes_only_where_a_pin_was_typed_for_it() -> None:
    plain, guarded = page(asked()), page(asked(), needs_pin=True)
    yes, no = "Archive &lt;patient&gt;</button>", "Keep it</button>"
    assert plain.index(no) < plain.index(yes) < plain.index("Not like this</button>")
    assert guarded.index(yes) < guarded.index(no)
    assert "<input type=password" in guarded and "<input type=password" not in plain


@pytest.mark.parametrize(
    ("left", "link"),
    [(0, "Back to the page"), (1, "See the question that is waiting"), (2, "See the 2 questions that are waiting")],
)
def test_after_an_answer_the_others_are_one_click_away(left: int, link: str) -> None:
    text = told(Outcome.DENIED, waiting=[asked(f"c{number}") for number in range(left)])
    assert f'<a href="/secret">{link}</a>' in text
    assert title(text) == "Denied - Cliniko approvals"
    assert 'data-idle="yes"' in text and '<noscript><meta http-equiv=refresh content="3"></noscript>' in text


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_heading_and_is_not_said_twice(outcome: Outcome) -> None:
    text = told(outcome)
    heading = re.findall("<h1 role=status>(.*)</h1>", text)[0]
    assert heading and f"<p>{heading}. " not in text


def ending(
    ending: Any, *, acting: bool = False, problem: Rejected | None = None, challenge: str = "c1"
) -> PendingQuestion:
    pending = asked(challenge)
    pending.verdict, pending.ending, pending.acting = Verdict.YES, ending, acting
    pending.ended, pending.problem = NOW + 120, problem
    return pending


@pytest.mark.parametrize(
    ("about", "heading", "detail"),
    [
        (ending(None), "Approved", "It is about to be carried out."),
        (ending(None, acting=True), "Approved", "It is being carried out now."),
        (ending("done"), "Archived at 3:02 pm", "You can close this page."),
        (ending("failed", problem=Rejected("Cliniko said no.")), "Not done at 3:02 pm", "Cliniko said no."),
        (ending("failed"), "Not known whether it was done", "Look at the record in Cliniko."),
        (ending("changed"), "Not done", "What you were shown has changed since."),
        (ending("replaced"), "Not done", "A newer question about the same record"),
        (ending("withdrawn"), "Taken back at 3:02 pm", "Nothing was changed."),
        (ending("denied"), "Denied at 3:02 pm", "For 15 minutes nobody is asked this again."),
        (ending("other"), "Not like this, at 3:02 pm", "Tell the assistant what should be different"),
    ],
)
def test_after_a_yes_the_page_tells_how_it_ended(about: PendingQuestion, heading: str, detail: str) -> None:
    text = told(Outcome.APPROVED, about, recent=[about])
    assert title(text) == f"{heading} - Cliniko approvals"
    assert detail in text
    assert "Archive &lt;patient&gt;: Ana &amp; Bo" in text
    assert ('class="card outcome good"' in text) == (about.ending == "done")
    assert (heading in page(recent=[about])) and "In the last ten minutes" in page(recent=[about])


@pytest.mark.parametrize(
    ("about", "moves"), [(ending(None), True), (ending(None, acting=True), True), (ending("done"), False)]
)
def test_the_heading_moves_until_what_was_approved_is_done(about: PendingQuestion, moves: bool) -> None:
    assert ("<h1 role=status class=going>" in told(Outcome.APPROVED, about)) is moves


def test_what_can_be_undone_no_more_is_read_without_a_button() -> None:
    assert read(told(Outcome.GONE)) == (
        "No longer open This question is no longer open. Nothing was done. If it is still wanted, the assistant can "
        "ask again. Back to the page"
    )
    done = "Archived at 3:02 pm Archive <patient>: Ana & Bo"
    assert read(told(Outcome.APPROVED, ending("done"))) == f"{done} You can close this page. Back to the page"
    assert read(page(recent=[ending("done")])).endswith(f"In the last ten minutes {done}")


def test_the_button_to_lift_a_no_or_take_a_yes_back_stands_beside_its_own_question() -> None:
    unused = [ending(None, challenge=f"yes{number}") for number in range(2)]
    denied = [ending("denied", challenge=f"no{number}") for number in range(3)]
    text = page(unused=unused, recent=denied, denials=denied[1:])
    assert re.findall(r'name=question value="(\w+)"><button class=small name=decision value=(\w+)>', text) == [
        ("yes0", "withdraw"),
        ("yes1", "withdraw"),
        ("no1", "reopen"),
        ("no2", "reopen"),
    ]


def test_a_yes_can_be_taken_back_until_it_is_used_and_a_no_lifted_while_it_holds() -> None:
    unused, denied, over = ending(None), ending("denied"), ending("denied")
    text = page(unused=[unused], recent=[denied, over], denials=[denied])
    assert (text.count("value=withdraw>Take it back<"), text.count("value=reopen>Allow the question again<")) == (1, 1)
    assert "value=withdraw" in told(Outcome.APPROVED, unused, unused=[unused])


def test_the_mark_is_short_and_changes_with_the_questions_and_how_they_stand() -> None:
    pages = [
        Shown(), Shown([asked("c1")]), Shown([asked("c2")]), Shown([asked("c1"), asked("c2")]),
        Shown(recent=[ending("done")]), Shown(recent=[ending("failed")]), Shown(unused=[ending(None)]),
    ]  # fmt: skip
    marks = [shown.mark for shown in pages]
    assert len(set(marks)) == len(pages)
    assert {len(mark) for mark in marks} == {16}


def test_only_what_carries_the_nonce_may_run_and_nothing_comes_from_outside() -> None:
    allowed = policy("the-nonce")
    assert allowed.startswith("default-src 'none'; style-src 'nonce-the-nonce'; script-src 'nonce-the-nonce';")
    assert "form-action 'self'; base-uri 'none'; frame-ancestors 'none'" in allowed
    text = page(asked())
    assert text.count('nonce="the-nonce"') == 2
    assert " style=" not in text and " onclick=" not in text


ANA = Viewer("ana", "Ana <Lima>")


def of(principal: str, challenge: str = "c1", account: Account = ACCOUNT) -> PendingQuestion:
    """A question that an assistant of this person asks."""
    pending = asked(challenge, program="claude-ai")
    pending.question = replace(pending.question, account=account)
    pending.matter, pending.asked_by = replace(pending.matter, principal=principal), f"{principal.title()} <Park>"
    return pending


def test_a_page_with_a_login_says_who_is_logged_in_and_lets_them_sign_out() -> None:
    text = page(of("ana"), viewer=ANA)
    assert "You are logged in as Ana &lt;Lima&gt;." in text
    (form,) = re.findall("<form method=post action=/login/out.*?</form>", text)
    assert 'name=csrf value="the-csrf"' in form
    assert "action=/login/out" not in page(of("ana"))
    assert 'content="3;url=?again"' in page(viewer=ANA) and 'content="3"' in page()
    assert "logged in as yourself" in page(viewer=Viewer("ana", ""))


def test_whose_question_it_is_stands_there_for_everybody_else() -> None:
    assert "<span>Claude Desktop asked at" in page(of("ana"), viewer=ANA)
    assert "<span>Cyd &lt;Park&gt;, with Claude Desktop, asked at" in page(of("cyd"), viewer=ANA)
    unnamed = of("cyd")
    unnamed.asked_by = ""
    assert "<span>Somebody else, with Claude Desktop, asked at" in page(unnamed, viewer=ANA)


def test_who_cannot_approve_can_only_say_no_and_reads_why() -> None:
    waits = Viewer("ana", "Ana Lima", frozenset({"c1"}))
    text = page(of("ana"), viewer=waits)
    assert "value=approve" not in text and "value=deny" in text and "value=other" in text
    assert title(text) == "(1) One question for somebody else - Cliniko approvals"
    assert "Nothing happens unless somebody else approves." in text and "You can only say no." in text
    both = page(of("ana"), of("cyd", "c2"), viewer=waits)
    assert both.count("value=approve") == 1 and both.count("You can only say no.") == 1
    assert title(both) == "(2) 2 questions for you - Cliniko approvals"


def test_questions_of_several_clinics_each_say_which() -> None:
    other = replace(ACCOUNT, clinic="South & Co", demo=True)
    text = page(of("ana"), of("ana", "c2", other), viewer=ANA)
    assert "<strong>Your clinics</strong>" in text and "Demo clinic" not in text
    assert "In Northside &lt;Clinic&gt;" in text and "In South &amp; Co" in text
    one = page(of("ana"), of("ana", "c2"), viewer=ANA)
    assert "<strong>Northside &lt;Clinic&gt;</strong>" in one and "In Northside" not in one
    nameless = page(of("ana"), of("ana", "c2", replace(ACCOUNT, clinic="")), viewer=ANA)
    assert nameless.count("<p class=soft>In ") == nameless.count("<p class=soft>In Northside") == 1


def test_somebody_elses_question_says_nothing_of_it() -> None:
    text = not_yours_page(Shown(path="/approvals", csrf="the-csrf", nonce="the-nonce", now=NOW, viewer=ANA))
    assert title(text) == "Not yours to answer - Cliniko approvals"
    assert '<a href="/approvals">See your own questions</a>' in text and "decision" not in text


@pytest.mark.parametrize("outcome", [Outcome.WRONG, Outcome.LOCKED, Outcome.GONE, Outcome.REOPENED])
def test_an_answer_that_did_not_count_is_told_as_such_and_not_as_the_question_stands(outcome: Outcome) -> None:
    text = read(told(outcome, asked()))
    assert outcome.value.rpartition(". ")[2] in text
    assert "Ana & Bo" not in text
