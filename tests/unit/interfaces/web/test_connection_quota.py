"""Each address holds its share of connections and unfinished handshakes, and no more."""

from agent.interfaces.web import connection_quota
from agent.interfaces.web.connection_quota import ConnectionQuota


def test_an_address_holds_its_share_of_connections_and_no_more() -> None:
    guarded = ConnectionQuota(most=2, most_handshakes=2)
    first, second = guarded.enter("10.0.0.1"), guarded.enter("10.0.0.1")
    assert first is not None and second is not None
    for visit in (first, second):
        visit.greeted()
    assert guarded.enter("10.0.0.1") is None
    assert guarded.enter("10.0.0.2") is not None
    first.left()
    assert guarded.enter("10.0.0.1") is not None


def test_unfinished_handshakes_count_by_themselves_and_end_once() -> None:
    guarded = ConnectionQuota(most=10, most_handshakes=1)
    visit = guarded.enter("10.0.0.1")
    assert visit is not None and guarded.enter("10.0.0.1") is None
    visit.greeted()
    visit.greeted()
    other = guarded.enter("10.0.0.1")
    assert other is not None and guarded.enter("10.0.0.1") is None
    other.left()
    other.left()
    assert guarded.enter("10.0.0.1") is not None


def test_the_addresses_of_one_customer_count_together() -> None:
    guarded = ConnectionQuota(most=1, most_handshakes=1)
    assert guarded.enter("2001:db8:1:2::a") is not None
    assert guarded.enter("2001:db8:1:2::b") is None
    assert guarded.enter("2001:db8:1:3::a") is not None
    assert guarded.enter("10.0.0.1") is not None
    assert guarded.enter("::ffff:10.0.0.1") is None


def test_proxies_and_this_computer_hold_any_number() -> None:
    guarded = ConnectionQuota(most=1, most_handshakes=1, exempt=("192.0.2.0/28", "2001:db8::1"))
    for address in ("127.0.0.1", "::1", "192.0.2.3", "2001:db8::1", "::ffff:127.0.0.1"):
        assert all(guarded.enter(address) for _ in range(3)), address
    assert guarded.enter("192.0.2.200") is not None
    assert guarded.enter("192.0.2.200") is None


def test_all_handshakes_together_have_a_limit() -> None:
    guarded = ConnectionQuota(most=connection_quota.MOST_HANDSHAKES * 2, most_handshakes=connection_quota.MOST_HANDSHAKES * 2)
    visits = [guarded.enter("127.0.0.1") for _ in range(connection_quota.MOST_HANDSHAKES)]
    assert all(visits) and guarded.enter("10.0.0.9") is None
    assert visits[0] is not None
    visits[0].greeted()
    assert guarded.enter("10.0.0.9") is not None
