"""What the group `availability` computes from requests and kills."""

import struct

import pytest

from scripts.benchmarks.availability_figures import (
    Answer,
    Fault,
    Outcome,
    down_share,
    of_fault,
    outage_s,
    share_at_once,
    share_right,
    share_slow,
)
from scripts.benchmarks.availability_hosts import answered

RIGHT, NONE, WRONG = Outcome.RIGHT, Outcome.NONE, Outcome.WRONG


def answer(began: float, ended: float, outcome: Outcome = RIGHT) -> Answer:
    return Answer("list", began, ended, outcome)


def test_a_wrong_answer_counts_as_much_as_none() -> None:
    assert share_right([answer(0, 1), answer(0, 1, NONE), answer(0, 1, WRONG), answer(0, 1)]) == 50
    assert share_right([]) == 100


def test_what_was_asked_again_was_not_answered_at_once() -> None:
    answers = [answer(0, 1), Answer("list", 0, 3, RIGHT, repeated=True), Answer("list", 0, 5, NONE, repeated=True), answer(0, 1)]
    assert (share_right(answers), share_at_once(answers)) == (75, 50)
    assert (share_slow(answers, 2), share_slow(answers, 4), share_slow([], 1)) == (50, 25, 0)


def test_a_request_belongs_to_the_fault_before_its_end() -> None:
    before, under_way, later, next_one = answer(1, 2, NONE), answer(9, 11, NONE), answer(12, 13), answer(19, 20, NONE)
    faults = [Fault("api", 10, 15), Fault("worker", 20, 21)]
    answers = [before, under_way, later, next_one]
    assert of_fault(answers, faults, 0) == [under_way, later]
    assert of_fault(answers, faults, 1) == [next_one]


def test_an_outage_lasts_until_a_later_request_is_answered_rightly() -> None:
    assert outage_s([answer(10, 10.2), answer(10.1, 10.5)], 10) == 0
    # A right answer between failed ones doesn't end it, nor does one to a request that had begun before the last failed one.
    flapping = [answer(10, 10.1, NONE), answer(10.2, 10.3), answer(10.25, 13), answer(11, 11.1, WRONG), answer(12, 12.5)]
    assert outage_s(flapping, 10) == pytest.approx(2.5)
    assert outage_s([answer(10, 10.1), answer(11, 14, NONE)], 10) == pytest.approx(4)
    # A request that had begun before the kill failed with it, and was the only one.
    assert outage_s([answer(9.9, 10.05, NONE), answer(10, 10.15)], 10) == pytest.approx(0.15)


def test_a_process_that_is_down_is_not_killed_again() -> None:
    assert down_share([], 60, 0, 600) == 0
    assert down_share([100], 60, 0, 600) == 10
    assert down_share([130, 100, 300], 60, 0, 600) == 20
    assert down_share([580], 60, 0, 600) == pytest.approx(100 * 20 / 600)  # until the end, not beyond it


def test_a_name_leads_to_all_addresses() -> None:
    name = b"\x03api\x04test\x00"
    asked = b"\x12\x34" + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 1)
    ipv4, ipv6 = struct.pack(">HH", 1, 1), struct.pack(">HH", 28, 1)
    told = answered(asked + name + ipv4 + b"more", ["10.0.0.2", "10.0.0.3"])
    assert told[:2] == b"\x12\x34" and struct.unpack(">HHHHH", told[2:12]) == (0x8580, 1, 2, 0, 0)
    assert told[12:].startswith(name + ipv4) and told.endswith(b"\x0a\x00\x00\x03")
    assert struct.unpack(">H", answered(asked + name + ipv6, ["10.0.0.2"])[6:8]) == (0,)
