"""Codes of an authenticator app: each works once, around its time, for its member."""

from datetime import UTC, datetime, timedelta

import pytest
from pyotp import TOTP

from agent.server.accounts.second_factor import SecondFactor, compact, new_recovery_codes

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MEI, BEN = "a" * 32, "b" * 32
STEP = timedelta(seconds=30)


@pytest.fixture
def factor() -> SecondFactor:
    return SecondFactor(bytes(32))


def test_a_code_works_around_its_time(factor: SecondFactor) -> None:
    secret, stored = factor.new_secret(MEI)
    middle = int(NOW.timestamp()) // 30
    for steps in range(-3, 4):
        found = factor.step(stored, MEI, TOTP(secret).at(NOW + steps * STEP), NOW, None)
        assert found == (middle + steps if abs(steps) <= 1 else None), steps
    assert factor.step(stored, MEI, f" {TOTP(secret).at(NOW)[:3]} {TOTP(secret).at(NOW)[3:]}", NOW, None) == middle


def test_a_code_works_once(factor: SecondFactor) -> None:
    secret, stored = factor.new_secret(MEI)
    used = factor.step(stored, MEI, TOTP(secret).at(NOW), NOW, None)
    assert factor.step(stored, MEI, TOTP(secret).at(NOW), NOW, used) is None
    assert factor.step(stored, MEI, TOTP(secret).at(NOW - STEP), NOW, used) is None, "an earlier one neither"
    assert factor.step(stored, MEI, TOTP(secret).at(NOW + STEP), NOW, used) is not None


def test_a_stored_secret_is_of_one_member_and_one_library(factor: SecondFactor) -> None:
    secret, stored = factor.new_secret(MEI)
    assert secret.encode() not in stored
    code = TOTP(secret).at(NOW)
    assert factor.step(stored, BEN, code, NOW, None) is None
    assert SecondFactor(bytes([1]) * 32).step(stored, MEI, code, NOW, None) is None
    assert factor.step(stored[:-1], MEI, code, NOW, None) is None


@pytest.mark.parametrize("code", ["", "000000000", "abcdef", "\0", "\ud800", "１２３４５６"])
def test_other_texts_are_no_codes(factor: SecondFactor, code: str) -> None:
    _, stored = factor.new_secret(MEI)
    assert factor.step(stored, MEI, code, NOW, None) is None


def test_a_code_is_read_as_chinese_and_japanese_keyboards_type_it(factor: SecondFactor) -> None:
    secret, stored = factor.new_secret(MEI)
    wide = {ord(letter): ord(letter) + 0xFEE0 for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    assert factor.step(stored, MEI, TOTP(secret).at(NOW).translate(wide), NOW, None) is not None
    [code, *_] = new_recovery_codes()
    assert compact(code.translate(wide).replace("-", "—")) == compact(code)
    assert compact(f"{code[:9]}\N{EN DASH}{code[10:]}\N{IDEOGRAPHIC SPACE}") == compact(code)


def test_recovery_codes_are_long_and_all_different() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    for code in codes:
        assert len(compact(code)) == 16 and compact(code.lower().replace("-", " ")) == compact(code)


def test_an_app_reads_name_and_program(factor: SecondFactor) -> None:
    secret, _ = factor.new_secret(MEI)
    assert factor.uri(secret, "mei lin") == f"otpauth://totp/AI%20Popup:mei%20lin?secret={secret}&issuer=AI%20Popup"
