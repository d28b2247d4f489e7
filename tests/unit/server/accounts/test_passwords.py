"""Passwords: which are accepted, and that a wrong name costs as much as a wrong password."""

import asyncio
import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.errors import PasswordCommon, PasswordHoldsName, PasswordShort, TooManyAttempts
from agent.server.accounts import passwords
from agent.server.accounts.passwords import AT_ONCE, LEAST, MEMORY_KIB, MOST_WAITING, PASSES, Passwords, checked

QUICK = {"memory_kib": 8, "passes": 1}


@pytest.mark.parametrize(
    "password", ["correct horse battery", "Zwölf Boxkämpfer", "三更半夜爬起来找手机充电器", "xkcd-936-forever", "~" * 3 + "Qz7!ab" * 2]
)
def test_long_ones_are_accepted_whatever_they_are_made_of(password: str) -> None:
    assert checked(password, "mei") == unicodedata.normalize("NFKC", password)


@pytest.mark.parametrize("password", ["", "short", "x" * (LEAST - 1), "Tr0ub4dor&3"])
def test_short_ones_are_refused(password: str) -> None:
    with pytest.raises(PasswordShort) as raised:
        checked(password, "mei")
    assert raised.value.params == {"least": LEAST}


@pytest.mark.parametrize(
    "password",
    ["password12345", "Passwort!!!2026", "qwertyuiop12", "123456789012", "abcdefghijkl", "aaaaaaaaaaaa", "ababababababab", "210987654321"],
)
def test_common_ones_are_refused(password: str) -> None:
    with pytest.raises(PasswordCommon):
        checked(password, "mei")


@pytest.mark.parametrize("password", ["1qaz2wsx3edc", "QwertyQwerty", "unbelievable", "Sonyericsson", "counterstrike2026!", "1q2w3e4r5t6y"])
def test_ones_of_the_list_of_common_passwords_are_refused_in_any_case_and_with_digits_around(password: str) -> None:
    with pytest.raises(PasswordCommon):
        checked(password, "mei")


def test_the_list_holds_at_least_the_3000_that_asvs_asks_for_all_long_enough_to_be_chosen() -> None:
    listed = Path(passwords.__file__).with_name("common_passwords.txt").read_text(encoding="ascii").splitlines()[2:]
    assert len(set(listed)) == len(listed) >= 3_000
    assert all(len(each) >= LEAST and each == each.casefold() for each in listed)


@pytest.mark.parametrize(
    ("password", "name"),
    [("christina2026!", "christina"), ("I am CHRISTINA today", "Christina"), ("mei-2026-mei-2026", "mei"), ("王小明12345678901", "王小明")],
)
def test_ones_made_of_the_name_are_refused(password: str, name: str) -> None:
    with pytest.raises(PasswordHoldsName):
        checked(password, name)


def test_a_short_name_may_be_part_of_a_sentence() -> None:
    assert checked("timetable of the lodge", "Al", "Tim")


def test_the_parameters_are_at_least_owasps() -> None:
    assert MEMORY_KIB >= 19 * 1024 and PASSES >= 2


async def test_a_password_matches_its_own_hash_in_every_spelling() -> None:
    passwords = Passwords(**QUICK)
    made = await passwords.hash("Zoë at the lake")
    assert made.startswith("$argon2id$") and made != await passwords.hash("Zoë at the lake")
    assert await passwords.matches("Zoe\u0308 at the lake", made)
    for wrong in ("Zoe at the lake", "", "\0", "\ud800", "x" * 100_000, "Zoë at the lake "):
        assert not await passwords.matches(wrong, made)
    assert not await passwords.matches("Zoë at the lake", "not a hash")


async def test_no_member_takes_the_same_work_as_a_wrong_password() -> None:
    passwords = Passwords(**QUICK)
    verified: list[str] = []
    real = passwords._verify

    def verify(expected: str, password: str) -> bool:
        verified.append(expected.rpartition("$")[0].rpartition("$")[0])  # its parameters
        return real(expected, password)

    passwords._verify = verify  # type: ignore[method-assign]
    assert not await passwords.matches("x", await passwords.hash("y"))
    assert not await passwords.matches("x", None)
    assert not await passwords.matches("nobody", None), "although that is the password of nobody's hash"
    assert len(verified) == 3 and len(set(verified)) == 1


async def test_hashes_of_other_parameters_are_outdated() -> None:
    old, new = Passwords(**QUICK), Passwords(memory_kib=16, passes=1)
    made = await old.hash("correct horse battery")
    assert not old.is_outdated(made) and new.is_outdated(made)
    assert await new.matches("correct horse battery", made)


async def test_few_are_hashed_at_once_and_more_than_some_that_wait_are_refused() -> None:
    passwords = Passwords(**QUICK)
    held, running, most = asyncio.Event(), 0, 0
    loop = asyncio.get_running_loop()

    def work() -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        asyncio.run_coroutine_threadsafe(held.wait(), loop).result()
        running -= 1
        return True

    waiting = [asyncio.create_task(passwords._in_turn(work)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyAttempts):
        await passwords.matches("x", None)
    held.set()
    assert all(await asyncio.gather(*waiting)) and most <= AT_ONCE
    assert not await passwords.matches("x", None), "there is room again"


@given(st.text(max_size=300))
def test_any_text_is_accepted_or_refused_for_a_reason(password: str) -> None:
    with suppress(PasswordShort, PasswordCommon, PasswordHoldsName):
        assert len(checked(password, "mei", "")) >= LEAST
