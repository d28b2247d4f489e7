"""Notifications over a real session bus, to a stand-in for the desktop's service: what it receives; a missing one does no harm."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.desktop.notifications.notifier import SERVICE, Notifier
from agent.desktop.system import session_bus
from agent.domain.errors import CaptureRefused
from agent.infrastructure.core.i18n import Texts

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")

SERVER = """
import sys
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method, signal
import asyncio

class Notifications(ServiceInterface):
    count = 0
    @method()
    def Notify(self, app: "s", old: "u", icon: "s", title: "s", body: "s", actions: "as", hints: "a{sv}", timeout: "i") -> "u":
        print("|".join([app, title, body, ",".join(sorted(hints))]), flush=True)
        self.count += 1
        # The first is clicked, of the second the button is pressed, as on desktops that know no click.
        chosen = actions[0] if self.count == 1 else actions[2]
        asyncio.get_running_loop().call_later(0.2, self.ActionInvoked, self.count, chosen)
        return self.count
    @signal()
    def ActionInvoked(self, id, key) -> "us":
        return [id, key]
    @method()
    def GetCapabilities(self) -> "as":
        return ["body"]
    @method()
    def GetServerInformation(self) -> "ssss":
        return ["stand-in", "tests", "1", "1.2"]

async def main():
    bus = await MessageBus().connect()
    bus.export("/org/freedesktop/Notifications", Notifications("org.freedesktop.Notifications"))
    await bus.request_name("org.freedesktop.Notifications")
    print("ready", flush=True)
    await asyncio.get_running_loop().create_future()

asyncio.run(main())
"""


CLIENT = """
import asyncio
from agent.desktop.notifications.notifier import Notifier
from agent.domain.errors import CaptureRefused
from agent.infrastructure.core.i18n import Texts

async def main():
    notifier = Notifier()
    for number, told in enumerate([(Texts("en"), 3, 5), (Texts("zh-CN"), 1, 0)]):
        chosen = asyncio.Event()
        await notifier.tell(*told, chosen.set)
        await asyncio.wait_for(chosen.wait(), 10)
        print("chosen", number, flush=True)
    await notifier.problem(Texts("en"), CaptureRefused())

asyncio.run(main())
"""


# A bus that starts nobody by itself, whatever this machine has installed.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    config = tmp_path / "bus.conf"
    config.write_text(BUS)
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with daemon:
        assert daemon.stdout is not None
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.stdout.readline().strip())
        yield
        daemon.terminate()


@pytest.fixture
def told(bus: None) -> Iterator[Callable[[], str]]:
    """A notification service; gives the next line it was told."""
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    with server:
        output = server.stdout
        assert output is not None
        assert output.readline() == "ready\n"
        yield output.readline
        server.terminate()


def test_the_notification_says_numbers_and_nothing_else_and_tells_when_it_is_chosen_or_what_went_wrong(told: Callable[[], str]) -> None:
    # In a process of its own: the connection to the bus ends with it, as with the agent.
    done = subprocess.run([sys.executable, "-c", CLIENT], timeout=100, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "chosen 0\nchosen 1\n"), done.stderr
    assert told() == "AI Popup|AI Popup|3 new photos, 5 faces|urgency\n"
    assert told().split("|")[2] == "1 张新照片，0 张人脸"
    refused, en = CaptureRefused(), Texts("en")
    assert told().split("|")[2] == f"{en.cause(refused)} {en.remedy(refused)}"


async def test_without_a_service_nothing_happens(bus: None) -> None:
    assert not session_bus.obtainable(SERVICE)
    await Notifier().tell(Texts("en"), 3, 5, lambda: None)
