"""Tests of how field names are matched."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._field_names import FieldNames, Kind, hidden_container, shown_name
from privguard._field_words import Part

NAMES = FieldNames(
    {
        Kind.AGE: ["age"],
        Kind.BIRTHDATE: ["birthdate", "birthday", "birth_date", "date_of_birth", "dob", "bday"],
        Kind.FLAG: ["child"],
    }
)


def said(*path: str) -> tuple[Kind, Part] | None:
    match = NAMES.find(shown_name(path))
    return match and (match.kind, match.part)


AGES = """
age AGE Age user[age] user.age user:age user/age user[profile][age] form-0-age form_0_age 0-age age[] age[0] age1
age_0 user_age userAge UserAge user-age child_age childAge children_age child1_age child1Age child_1_age
applicant-age your_age users_age signup_age txtAge signup-form-age age_years ageYears age[years] age_in_years
age_value age[value] ageInput age-field ctl00$Main$Age cache.user.age max[user][age] Kids[2].Age _age age_ [age]
(age) user.age[0].value
lodging__age profile__user_age
""".split()
BIRTHDATES = """
birthdate birth_date birth-date birthDate BirthDate BIRTHDATE BIRTH_DATE birth.date birthday birthDay dob DOB Dob
d_o_b D.O.B bday date_of_birth dateOfBirth date-of-birth DateOfBirth dateofbirth user[birthdate] user[birth_date]
user.dob user:dob user/dob form-0-dob form-12-birth_date members-0-birthDate applicant-dob user_dob userDob userDOB
mother_birthdate initial-birthdate account_dob ctl00$Main$txtDob dob[] dob[value] dob[0][value][date] dob_value
dobInput dob_date birthdate.$date children[0][dob] input.birthDate profile__dob
""".split()
FLAGS = """
child Child CHILD user[child] user.child form-0-child child[] is_child isChild IsChild is-child ischild am_child
i_am_a_child user_is_child user[is_child] child_value
""".split()
PARTS = {
    Part.YEAR: """
        birthdate_year birthdate-year birthdateYear birthdateyear birthdate[year] birthdate.year birthdate(1i)
        user[birthdate(1i)] bday-year dob[year] dobYear DOBYear dob_y dob_yyyy form-0-dob_year birth_year birthYear
        birthyear byear year_of_birth yearOfBirth dob[0][year] dob[year][value] birthday_jahr
        """,
    Part.MONTH: """
        birthdate_month birthdate(2i) bday-month dob[month] dobMonth dob_m dob_mm user[dob][month] birth_month
        birthmonth month_of_birth dob.mes
        """,
    Part.DAY: """
        birthdate_day birthdate(3i) user[birthdate(3i)] bday-day dob[day] dobDay DOBDay dob_d dob_dd day_of_birth
        date_of_birth_day dateOfBirthDay
        """,
    Part.FIRST: "dob[0] dob_0 dob.0 birthdate[0] dob[3][0]",
    Part.SECOND: "dob[1] dob_1",
    Part.THIRD: "dob[2] dob_2",
}
NEITHER = """
package page image mileage average children grandchild_count stage agency message language usage storage manage
dosage village percentage ageing aged ages agent agenda eage pagedob childcare childish grandchild stepchild_id
children_count max_age min_age maxAge max-age cache_age page_age account_age session_age cookie_age vehicle_age
average_age minimum_age max_user_age car[age] cache.age max__age pets-0-age dogs[1][age] max[age] age_group
age_limit age_range age[min] age[max] age[months] age_months age_18 age18 age-13 ageism age_year age[date] age(1i)
average_child_age min_birthdate birthdate_from birthdate[gte] pet_dob dog[birthdate] birthdate_visible birthdate(4i)
birthdate(5i) birthdate_hour created_by by year month day date birth bdate dobson dobbin adobe birthdays
birthdate_foo birthplace dob[year][month] dob[0][year][month] age[0][0][0][0][0][0] birthday_wishes[0] dob(x)
update_date add_child user_child the_child has_child only_child max_child child_1 child[0] child[name] child_count
child_name child_year child_date parent_child childs child(1i)
""".split()


@pytest.mark.parametrize("name", AGES)
def test_name_of_an_age(name):
    """A person's age is found in every spelling and container, and after words that speak of people or the form."""
    assert said(name) == (Kind.AGE, Part.WHOLE)


@pytest.mark.parametrize("name", BIRTHDATES)
def test_name_of_a_birth_date(name):
    """A birth date is found in every spelling and in every container, whoever's it is."""
    assert said(name) == (Kind.BIRTHDATE, Part.WHOLE)


@pytest.mark.parametrize("name", FLAGS)
def test_name_of_a_flag(name):
    """A flag may be said of somebody."""
    assert said(name) == (Kind.FLAG, Part.WHOLE)


@pytest.mark.parametrize("part, name", [(part, name) for part, names in PARTS.items() for name in names.split()])
def test_name_of_a_part(part, name):
    """Django, Rails, PHP, browsers' autofill and people name the parts of a date in their own ways."""
    assert said(name) == (Kind.BIRTHDATE, part)


@pytest.mark.parametrize("name", [*NEITHER, "", "[]", "---", "１２", "a" * 500, "ſ", "年齢"])
def test_name_that_only_looks_alike(name):
    """What merely contains the letters, counts children or limits a range is nobody's age."""
    assert said(name) is None


@pytest.mark.parametrize(
    "path, expected",
    [
        (("birthdate",), (Kind.BIRTHDATE, Part.WHOLE)),
        (("user", "birthDate"), (Kind.BIRTHDATE, Part.WHOLE)),
        (("variables", "input", "profile", "dateOfBirth"), (Kind.BIRTHDATE, Part.WHOLE)),
        (("birthdate", "year"), (Kind.BIRTHDATE, Part.YEAR)),
        (("birth", "month"), (Kind.BIRTHDATE, Part.MONTH)),
        (("users", "0", "dob", "day"), (Kind.BIRTHDATE, Part.DAY)),
        (("users", "10", "dob", "0", "year"), (Kind.BIRTHDATE, Part.YEAR)),
        (("dob", "0"), (Kind.BIRTHDATE, Part.FIRST)),
        (("dob", "12"), (Kind.BIRTHDATE, Part.WHOLE)),
        (("0", "age"), (Kind.AGE, Part.WHOLE)),
        (("ages", "age", "0"), (Kind.AGE, Part.WHOLE)),
        (("user.age",), (Kind.AGE, Part.WHOLE)),
        (("a",) * 1000 + ("age",), (Kind.AGE, Part.WHOLE)),
        (("x" * 1000, "age"), (Kind.AGE, Part.WHOLE)),
        (("age", "x"), None),
        (("im", "age", "id"), None),
        (("age", *"0123456"), None),
        (("child", "name"), None),
        ((), None),
        (("",), None),
    ],
)
def test_way_through_json(path, expected):
    """JSON names a field by its key and by the keys above it."""
    assert said(*path) == expected


def group(*path: str) -> str:
    match = NAMES.find(shown_name(path))
    assert match is not None
    return match.group


@pytest.mark.parametrize(
    "names",
    [
        ("birthdate_year", "birthdate_month", "birthdate-day", "birthdateDay", "birthday", "birth_year"),
        ("user[birthdate(1i)]", "user[birthdate(2i)]", "user[birthdate(3i)]"),
        ("form-0-dob[year]", "form-0-dob[day]", "form-0-dob"),
        ("dob[0]", "dob[1]", "dob[2]"),
        ("dob[0][year]", "dob[0][month]"),
        ("year_of_birth", "month_of_birth", "date_of_birth"),
    ],
)
def test_parts_of_one_date_belong_together(names):
    """The parts of a date find each other, however each of them is spelled."""
    assert len({group(name) for name in names}) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("form-0-dob_year", "form-1-dob_month"),
        ("mother_dob_year", "child_dob_month"),
        ("user[dob][year]", "guest[dob][month]"),
        ("dob[0][year]", "dob[1][month]"),
        ("users.0.dob.year", "users.1.dob.month"),
    ],
)
def test_parts_of_two_dates_stay_apart(names):
    """What two people say of themselves is not mixed."""
    assert len({group(name) for name in names}) == len(names)


def test_parts_deep_in_json_stay_apart():
    """Lists that lie above the last steps of a way tell two people apart too."""
    deep = ("a", "b", "c", "d", "dob", "year")
    assert group("0", *deep) == group("1", *deep)
    assert hidden_container(("0", *deep)) != hidden_container(("1", *deep))
    assert hidden_container(("0", *deep)) == hidden_container(("0", *deep[:-1], "month"))
    assert hidden_container(("x" * 300 + "dob(1i)",)) != hidden_container(("y" + "x" * 299 + "dob(1i)",))


@pytest.mark.parametrize("listed", [{}, {Kind.AGE: []}, {Kind.AGE: ["???"], Kind.FLAG: ["_"]}])
def test_no_names_match_nothing(listed):
    """Without a name there is nothing to look for."""
    names = FieldNames(listed)
    assert not names
    assert names.find("age") is None


@pytest.mark.parametrize(
    "configured, name",
    [
        ("user[dob]", "user.dob"),
        ("camper_age", "camperAge"),
        ("roof_age", "house[roofAge]"),
        ("生年月日", "user[生年月日]"),
        ("fødselsdato", "FØDSELSDATO"),
        ("年齢", "user.年齢"),
        ("under13", "under_13"),
        ("u13", "U13"),
        ("geburtsdatum", "Geburtsjahr"),
        ("geburtsdatum", "geburtsdatum_monat"),
        ("ｄｏｂ", "dob"),
        ("date", "date_year"),
    ],
)
def test_any_name_can_be_configured(configured, name):
    """What an owner names is found, in whatever language and however it is spelled."""
    match = FieldNames({Kind.BIRTHDATE: [configured]}).find(name)
    assert match is not None and match.kind is Kind.BIRTHDATE


@pytest.mark.parametrize("name", ["year", "school_year", "month", "day"])
def test_name_that_is_only_date_has_no_parts_beside_it(name):
    """Who calls the birth date "date" does not mean every year by it."""
    assert FieldNames({Kind.BIRTHDATE: ["date"]}).find(name) is None


SPELLINGS = {
    "snake": "_".join,
    "kebab": "-".join,
    "camel": lambda words: words[0] + "".join(map(str.title, words[1:])),
    "pascal": lambda words: "".join(map(str.title, words)),
    "joined": "".join,
    "upper": lambda words: "_".join(words).upper(),
    "words": " ".join,
}
CONTAINERS = ["{}", "user[{}]", "user.{}", "form-3-{}", "a:{}", "a/b/{}", "x[1][y][{}]", "{}[]"]
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=8), min_size=1, max_size=4)


@given(WORDS, st.sampled_from(sorted(SPELLINGS)), st.sampled_from(sorted(SPELLINGS)), st.sampled_from(CONTAINERS))
def test_every_spelling_finds_every_other(words, configured, sent, container):
    """A name is its words: how they are joined, and in what container, makes no difference."""
    names = FieldNames({Kind.AGE: [SPELLINGS[configured](words)]})
    assert names.find(container.format(SPELLINGS[sent](words))) is not None


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12))
def test_one_word_is_a_match_only_as_a_whole(word):
    """A word that goes on before or after the name is another word."""
    names = FieldNames({Kind.AGE: ["age"]})
    assert (names.find(word) is not None) == (word in ("age", "ageyears", "ageyrs", "ageinyears"))
    assert names.find(f"{word}age") is None


@given(st.lists(st.text(max_size=30) | st.sampled_from([*AGES, *BIRTHDATES, *NEITHER, "0", "year"]), max_size=9))
def test_match_never_raises_and_is_the_same_again(path):
    """Whatever a field is called, there is an answer, and it does not change."""
    assert NAMES.find(shown_name(path)) == NAMES.find(shown_name(path))
    assert len(shown_name(path)) <= 200
    assert hidden_container(path) == hidden_container(path)


@pytest.mark.parametrize(
    "name", ["A" * 10**6, "aA" * 10**6, "[" * 10**6 + "age", "age[0]" * 10**5 + "x", "dob_" * 10**5]
)
def test_match_takes_no_time(name):
    """Nothing that a field is called keeps the server busy."""
    began = time.perf_counter()
    NAMES.find(shown_name((name,)))
    assert time.perf_counter() - began < 1  # seconds; it takes less than a thousandth
