"""Guessing gets slower: for an account from one address, for an account from everywhere, and for an address."""

import pytest

from agent.accounts.sign_in_attempts import FREE, LONGEST_WAIT_S, MOST_PAIRS, Attempts
from agent.domain.errors import TooManyAttempts
from agent.web.networks import network_of


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def wait_of(attempts: Attempts, account: str, address: str) -> int:
    with pytest.raises(TooManyAttempts) as raised:
        attempts.begin(account, address)
    return int(raised.value.params["seconds"])


def test_the_wait_grows_with_each_failure_up_to_a_quarter_of_an_hour(attempts: Attempts, clock: Clock) -> None:
    for _ in range(FREE):
        attempts.begin("mei", "10.0.0.1")
    waits = []
    for _ in range(14):
        waits.append(wait_of(attempts, "mei", "10.0.0.1"))
        clock.time += waits[-1]
        attempts.begin("mei", "10.0.0.1")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, *[LONGEST_WAIT_S] * 4]
    attempts.begin("mei", "10.0.0.2")  # from elsewhere she may
    attempts.begin("ben", "10.0.0.1")


def test_an_attempt_counts_before_its_outcome_is_known(attempts: Attempts) -> None:
    for _ in range(FREE):
        attempts.begin("mei", "10.0.0.1")  # all at once
    assert wait_of(attempts, "mei", "10.0.0.1") == 1


def test_success_forgets_the_failures(attempts: Attempts) -> None:
    for _ in range(FREE):
        attempts.begin("mei", "10.0.0.1")
    attempts.succeeded("mei", "10.0.0.1")
    for _ in range(FREE):
        attempts.begin("mei", "10.0.0.1")
    assert wait_of(attempts, "mei", "10.0.0.1") == 1


def test_an_address_that_tries_many_names_is_refused_for_all(attempts: Attempts) -> None:
    for number in range(30):
        attempts.begin(f"name {number}", "2001:db8::1")
        attempts.failed(f"name {number}", "2001:db8::1")
    assert 1 <= wait_of(attempts, "mei", "2001:db8:0:0:ffff::2") <= 600, "the same /64"
    attempts.begin("mei", "2001:db8:0:1::1")


def test_a_name_that_is_tried_from_many_addresses_is_refused_for_all(attempts: Attempts) -> None:
    for number in range(100):
        attempts.begin("mei", f"10.0.0.{number}")
        attempts.failed("mei", f"10.0.0.{number}")
    assert 1 <= wait_of(attempts, "mei", "10.0.1.1") <= 3600
    attempts.begin("ben", "10.0.1.1")


def test_guesses_from_elsewhere_do_not_shut_a_member_out_who_was_here_before(attempts: Attempts) -> None:
    attempts.begin("mei", "10.9.9.9")
    attempts.succeeded("mei", "10.9.9.9")
    for number in range(100):
        attempts.failed("mei", f"10.0.0.{number}")
    assert wait_of(attempts, "mei", "10.0.1.1") >= 1
    attempts.begin("mei", "10.9.9.9")


def test_names_that_no_member_can_have_shut_nobody_out(attempts: Attempts) -> None:
    for number in range(200):
        attempts.failed("", f"10.0.0.{number}")
    attempts.begin("", "10.0.1.1")


def test_what_is_remembered_is_bounded(attempts: Attempts) -> None:
    for number in range(MOST_PAIRS + 10):
        attempts.begin(f"name {number}", "10.0.0.1")
        attempts.succeeded(f"known {number}", "10.0.0.1")
    assert len(attempts._pairs) == len(attempts._known) == MOST_PAIRS


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
        ("not an address", ""),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
