"""Tests of what makes a submission a child's."""

from __future__ import annotations

import datetime
import functools
import tracemalloc
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard import Policy
from privguard._children import ChildJudge, ChildRules, says_yes
from privguard._fields import Field

TODAY = date(2026, 11, 23)
RULES = ChildRules(Policy().settings["children"])


def fields(submission) -> list[Field]:
    return [Field((name,) if isinstance(name, str) else name, value) for name, value in submission]


def is_child(*submission, rules: ChildRules = RULES, today: date = TODAY) -> bool:
    judge = ChildJudge(rules, today)
    for field in fields(submission):
        judge.see(field)
    judge.finish()
    return judge.flagged


CHILDREN = [
    [("age", "12")],
    [("Age", "12 years")],
    [("user[age]", "under 13")],
    [("age", "10-15")],
    [("age", "-1")],
    [("age", "0")],
    [("birthdate", "2013-11-24")],
    [("user.dob", "24/11/2013")],
    [("form-0-dob", "11/12/2013")],
    [("bday", "2014")],
    [("date_of_birth", "2031-01-01")],
    [("birthDate", "2013-11-23T00:00:00Z")],
    [("child", "on")],
    [("is_child", "is_child")],
    # each value counts, wherever it stands
    [("age", "40"), ("age", "9")],
    [("age", "9"), ("age", "40")],
    [("child", "0"), ("child", "1")],
    [("name", "Kim"), ("age", "unknown"), ("dob", ""), ("child", "no"), ("birthday", "Nov 24, 2013")],
    # in parts
    [("birthdate_year", "2013"), ("birthdate_month", "11"), ("birthdate_day", "24")],
    [("birthdate_day", "24"), ("birthdate_month", "11"), ("birthdate_year", "2013")],
    [("birthdate_year", "2013"), ("birthdate_month", "11"), ("birthdate_day", "")],
    [("birthdate_year", "2013"), ("birthdate_month", "Month"), ("birthdate_day", "Day")],
    [("birthdate_year", "13"), ("birthdate_month", "12")],
    [("user[birthdate(1i)]", "2013"), ("user[birthdate(2i)]", "12"), ("user[birthdate(3i)]", "1")],
    [("bday-year", "2015"), ("bday-month", "März"), ("bday-day", "4")],
    [("dobDay", "24"), ("dobMonth", "Nov"), ("dobYear", "2013")],
    [("birthday", "24"), ("birthmonth", "11"), ("birthyear", "2013")],
    [("birth_month", "2014-02")],
    [("dob_year", "2014-02-03")],
    [("birth_year", "2040")],
    [("dob_year", "1990"), ("dob_month", "1"), ("dob_year", "2013"), ("dob_month", "12")],
    # JSON
    [(("user", "birthdate", "year"), "2013"), (("user", "birthdate", "month"), "12")],
    [(("children", "0", "dob"), "1980-01-01"), (("children", "1", "dob"), "2020-01-01")],
    [(("dob", "0"), "2013"), (("dob", "1"), "11"), (("dob", "2"), "24")],
    [(("dob", "0"), "1990-01-01"), (("dob", "1"), "2015-01-01")],
    [(("dob", "0"), "4"), (("dob", "1"), "3"), (("dob", "2"), "2015")],
    [(("child",), "true")],
    [(("age",), "12.9")],
    [(("age",), "1.2e1")],
    [(("birthDate", "$date"), "2015-03-04T00:00:00Z")],
    [(("birthDate",), "1425427200000")],
]
NOT_CHILDREN = [
    [],
    [("name", "Kim"), ("email", "kim@example.com"), ("message", "I am 12")],
    [("page", "3"), ("package", "1"), ("children", "2"), ("max_age", "5"), ("image", "2015-01-01")],
    [("age", "13")],
    [("age", "13+")],
    [("age", "")],
    [("age", "131")],
    [("age", "null")],
    [("age", "2015-01-01")],
    [("birthdate", "2013-11-23")],
    [("birthdate", "23.11.2013")],
    [("birthdate", "2012")],
    [("birthdate", "12")],
    [("birthdate", "--0203")],
    [("birthdate", "0000-03-04")],
    [("birthdate", "2015-02-30")],
    [("birthdate", "1880-01-01")],
    [("child", "")],
    [("child", "false")],
    [(("child",), "0")],
    [("child[name]", "Kim")],
    # in parts
    [("birthdate_year", "2013"), ("birthdate_month", "11"), ("birthdate_day", "23")],
    [("birthdate_year", ""), ("birthdate_month", "11"), ("birthdate_day", "24")],
    [("birthdate_year", "1880"), ("birthdate_month", "11")],
    [("birthdate_month", "11"), ("birthdate_day", "24")],
    [("birthday", "15"), ("birthmonth", "3"), ("birthyear", "1990")],
    [(("dob", "0"), "2013"), (("dob", "1"), "11"), (("dob", "2"), "23")],
    [(("dob", "0"), "15"), (("dob", "1"), "3"), (("dob", "2"), "1990")],
    # two dates are not mixed
    [("form-0-dob_year", "2013"), ("form-0-dob_month", "10"), ("form-1-dob_year", "1990"), ("form-1-dob_month", "12")],
    [(("0", "dob", "year"), "2013"), (("0", "dob", "month"), "1"), (("1", "dob", "month"), "12")],
    [
        (("0", *"abcdef", "dob", "year"), "2013"),
        (("0", *"abcdef", "dob", "month"), "1"),
        (("1", *"abcdef", "dob", "month"), "12"),
    ],
]


@pytest.mark.parametrize("submission", CHILDREN, ids=range(len(CHILDREN)))
def test_submission_of_a_child(submission):
    """A submission in which any field says that its sender is younger than 13 is a child's."""
    assert is_child(*submission)


@pytest.mark.parametrize("submission", NOT_CHILDREN, ids=range(len(NOT_CHILDREN)))
def test_submission_that_is_not_known_as_a_childs(submission):
    """Somebody of 13, or of whom nothing is known, is not taken for a child."""
    assert not is_child(*submission)


@pytest.mark.parametrize("minimum", [1, 13, 16, 99])
def test_age_of_a_child_is_the_owners(minimum):
    """The age below which the site takes nothing is a setting, to the day."""
    rules = ChildRules({**Policy().settings["children"], "minimum_age": minimum})
    assert rules.minimum_age == minimum
    assert not is_child(("age", f"{minimum}"), rules=rules)
    assert is_child(("age", f"{minimum - 1}"), rules=rules)
    assert not is_child(("dob", f"{TODAY.year - minimum}-11-23"), rules=rules)
    assert is_child(("dob", f"{TODAY.year - minimum}-11-24"), rules=rules)


def test_child_of_the_29th_of_february_grows_older_in_march():
    """Who is born on 29 February is a child until the end of that month."""
    born = ("dob", "2012-02-29")
    assert is_child(born, today=date(2025, 2, 28))
    assert not is_child(born, today=date(2025, 3, 1))


@pytest.mark.parametrize(
    "value",
    [*"1 true on yes y t x checked TRUE Yes ja oui si child is_child 2 -1 ✓ ｏｎ maybe".split(), "not sure", "n" * 200],
)
def test_flag_that_is_set(value):
    """A flag's value is a yes when it is not a clear no: a checkbox may send any word."""
    assert says_yes(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        *"0 00 0.0 -0 false off no n f null none undefined FALSE Off nein non não nee N/A no. - [] ｎｏ ０".split(),
        '"false"',
        " " * 200,
        " " * 200 + "no",
    ],
)
def test_flag_that_is_not_set(value):
    """A clear no, in the words of forms, of JSON or of people, sets no flag."""
    assert not says_yes(value)


@pytest.mark.parametrize("listed", ["age_fields", "birthdate_fields", "flag_fields"])
def test_rules_are_falsy_when_nothing_can_be_detected(listed):
    """With no names to look for there is nothing to inspect."""
    none = {"minimum_age": 13, "age_fields": (), "birthdate_fields": (), "flag_fields": ()}
    assert not ChildRules(none)
    assert ChildRules({**none, listed: ("x",)})


def test_rules_are_frozen():
    """What is compiled at start is not changed by a request."""
    with pytest.raises(AttributeError, match="frozen"):
        RULES.minimum_age = 3


def test_flag_is_a_latch():
    """Once a submission is known as a child's, nothing that follows takes it back."""
    judge = ChildJudge(RULES, TODAY)
    seen = []
    for field in fields([("age", "40"), ("age", "9"), ("age", "40"), ("child", "no")]):
        judge.see(field)
        seen.append(judge.flagged)
    judge.finish()
    assert [*seen, judge.flagged] == [False, True, True, True, True]


def test_parts_count_when_all_have_come():
    """A year alone is not judged before its month and day had their chance."""
    judge = ChildJudge(RULES, TODAY)
    judge.see(Field(("dob_year",), "2013"))
    assert not judge.flagged
    judge.see(Field(("dob_month",), "2"))
    judge.finish()
    judge.finish()
    assert not judge.flagged


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_memory_is_bounded_whatever_is_sent():
    """Ten thousand parts, long names and long values leave no more than some hundred kilobytes behind."""
    judge = ChildJudge(RULES, TODAY)
    tracemalloc.start()
    for number in range(2500):
        judge.see(Field((f"form-{number}-dob_year",), "1990"))
        judge.see(Field((f"form-{number}-dob_month",), "1"))
        judge.see(Field(("x" * 300 + f"{number}",), "x" * 1000))
        judge.see(Field(("a",) * 50 + (f"{number}", "dob", "day"), "3"))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 400_000  # bytes
    judge.finish()
    assert not judge.flagged


def test_dates_beyond_the_limit_are_judged_by_their_year():
    """Of more dates in parts than anybody's form has, a year stands alone: rather a child too many than one missed."""
    many = [(f"form-{number}-dob_year", "1990") for number in range(256)]
    assert not is_child(*many, ("form-999-dob_month", "1"), ("form-999-dob_year", "1990"))
    assert is_child(*many, ("form-999-dob_month", "1"), ("form-999-dob_year", "2013"))
    assert is_child(*many, ("form-0-dob_year", "2015"))


def test_names_are_remembered_and_forgotten_in_bounds():
    """A thousand forms of a site leave the memory of some hundred names, and the verdicts stay what they are."""
    rules = ChildRules(Policy().settings["children"])
    for number in range(40):
        assert not is_child(*((f"field_{number}_{one}", "x") for one in range(40)), ("age", "40"), rules=rules)
        assert len(rules._matches) <= 512
    assert is_child(("age", "9"), rules=rules)


def test_nothing_of_a_child_is_remembered():
    """Not even the names of the fields that a child sent stay in memory."""
    rules = ChildRules(Policy().settings["children"])
    assert is_child(("kim@example.com", "x"), ("age", "9"), rules=rules)
    assert not rules._matches


# ── the oracle ───────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def days_of(year: int) -> list[date]:
    days = (date(year, 1, 1) + datetime.timedelta(days=number) for number in range(366))
    return [day for day in days if day.year == year]


def is_under_13(born: date) -> bool:
    """Whether the thirteenth birthday is still to come."""
    return (born.year + 13, born.month, born.day) > (TODAY.year, TODAY.month, TODAY.day)


def latest(year: int, month: int, day: int) -> date:
    in_month = [one for one in days_of(year) if month in (0, one.month)]
    return max([one for one in in_month if day in (0, one.day)] or in_month)


PEOPLE = st.lists(st.tuples(st.integers(2011, 2015), st.integers(0, 12), st.integers(0, 31)), min_size=1, max_size=4)


@given(
    PEOPLE, st.randoms(use_true_random=False), st.sampled_from(["form-{}-dob_{}", "p[{}][birthdate][{}]", "u{}.dob.{}"])
)
def test_people_in_one_form_are_each_judged_by_their_own_date(people, random, shape):
    """In whatever order the parts of several dates come, each person is as young as their own date allows."""
    submission = [
        (shape.format(number, part), str(value) if value else "")
        for number, born in enumerate(people)
        for part, value in zip(("year", "month", "day"), born)
    ]
    random.shuffle(submission)
    assert is_child(*submission) == any(is_under_13(latest(*born)) for born in people)


NAMES = st.sampled_from(["age", "dob", "dob_year", "dob[0]", "bday-month", "child", "user[age]", "name"]) | st.text(
    max_size=20
)
VALUES = st.sampled_from(["", "12", "13", "2013", "2015-03-04", "on", "no", "under 13"]) | st.text(max_size=20)


@given(st.lists(st.tuples(NAMES | st.lists(NAMES, max_size=8).map(tuple), VALUES), max_size=12), st.randoms())
def test_judge_never_raises_and_heeds_no_order(submission, random):
    """Whatever is sent there is a verdict, and it is the same in whatever order the fields come."""
    verdict = is_child(*submission)
    random.shuffle(submission)
    assert is_child(*submission) == verdict
    assert is_child(*submission, ("age", "12"))
