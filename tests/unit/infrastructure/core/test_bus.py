"""Events go to all listeners, in order."""

from datetime import UTC, datetime

from agent.domain.events import LocationMoved, StoredEvent
from agent.infrastructure.core.bus import Bus

EVENTS = [StoredEvent(number, datetime(2026, 1, 1, tzinfo=UTC), LocationMoved(place_id=number)) for number in (1, 2)]


def test_all_who_listen_are_told_in_order_and_only_as_long_as_they_listen() -> None:
    bus, told, others = Bus(), list[StoredEvent](), list[StoredEvent]()
    with bus.listening(told.append):
        with bus.listening(others.append):
            bus.publish(EVENTS[:1])
        bus.publish(EVENTS[1:])
    bus.publish(EVENTS)
    assert told == EVENTS and others == EVENTS[:1]


def test_a_listener_may_leave_while_it_is_told() -> None:
    bus, told = Bus(), list[int]()

    def once(recorded: StoredEvent) -> None:
        told.append(recorded.id)
        leaving.__exit__(None, None, None)

    leaving = bus.listening(once)
    leaving.__enter__()
    with bus.listening(lambda event: told.append(-event.id)):
        bus.publish(EVENTS)
    assert told == [1, -1, -2]
