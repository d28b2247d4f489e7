"""Notifications where the system's service is missing, switched off or broken: the agent goes on without."""

from collections.abc import Callable

import desktop_notifier
import pytest
import structlog

from agent.desktop.notifications import notifier as notify
from agent.desktop.system import session_bus
from agent.domain.errors import CaptureRefused
from agent.infrastructure.core.i18n import Texts

REFUSED = OSError(-2147221164, "Class not registered", "C:/Users/mei")


class Backend:
    """Fails at the step it is told to."""

    fails_at = ""

    def __init__(self, name: str, icon: object) -> None:
        self._step("begin")

    async def request_authorisation(self) -> bool:
        self._step("ask")
        return True

    async def send(self, **_: object) -> None:
        self._step("send")

    def _step(self, name: str) -> None:
        if name == self.fails_at:
            raise REFUSED


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.setattr(session_bus, "obtainable", lambda _: True)
    monkeypatch.setattr(desktop_notifier, "DesktopNotifier", Backend)
    return lambda step: monkeypatch.setattr(Backend, "fails_at", step)


@pytest.mark.parametrize("step", ["begin", "ask", "send"])
async def test_a_service_that_fails_is_logged_and_does_no_harm(step: str, failing: Callable[[str], None]) -> None:
    notifier = notify.Notifier()
    failing(step)
    with structlog.testing.capture_logs() as logged:
        await notifier.tell(Texts("en"), 3, 5, lambda: None)
        await notifier.problem(Texts("en"), CaptureRefused())
        assert not await notifier.say(Texts("en"), "words", "button", lambda: None)
    assert [(line["event"], line["error"]) for line in logged] == [("notification.failed", REFUSED)] * 3
    failing("")
    assert await notifier.say(Texts("en"), "words", "button", lambda: None), "it isn't tried again when the service is back"
