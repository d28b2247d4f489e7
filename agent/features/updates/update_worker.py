"""The child process that checks for updates and downloads them, so that the agent does not need the memory for it; and how it is asked."""

import contextlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from agent.domain.errors import AgentError, Unexpected, UpdateUnreachable, from_code
from agent.features.updates.releases import UpdateStep
from agent.features.updates.updater import Updater
from agent.inference.engine.load_limiter import read_power
from agent.infrastructure.core.json_child import Child, ChildExited, ChildTimeout, Message, own_command, send, take_pipes
from agent.infrastructure.core.package_info import Build

_NAME = "org.freedesktop.NetworkManager"
_METERED = frozenset((1, 3))  # yes, and probably yes
_TIMEOUT_S = 2.0
CHECK_S = 120.0
DOWNLOAD_S = 6 * 3_600.0
# How this machine reaches the network.
_NETWORK = ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


def is_metered() -> bool:
    """Whether the network is metered; False if the system can't tell. So far NetworkManager on Linux can."""
    if not sys.platform.startswith("linux"):
        return False
    from jeepney import DBusAddress, MessageType, Properties, message_bus
    from jeepney.io.blocking import open_dbus_connection

    try:
        connection = open_dbus_connection("SYSTEM")
    except (OSError, KeyError, ValueError):
        return False
    with contextlib.closing(connection), contextlib.suppress(OSError, TimeoutError):
        # Addressing it by its name might start it.
        if connection.send_and_get_reply(message_bus.NameHasOwner(_NAME), timeout=_TIMEOUT_S).body == (True,):
            manager = Properties(DBusAddress("/org/freedesktop/NetworkManager", bus_name=_NAME, interface=_NAME))
            reply = connection.send_and_get_reply(manager.get("Metered"), timeout=_TIMEOUT_S)
            return bool(reply.header.message_type == MessageType.method_return and reply.body[0][1] in _METERED)
    return False


LEAST_PERCENT = 20.0


def main() -> int:
    """Serve until the input ends."""
    requests, answers = take_pipes()
    with requests, answers:
        for line in requests:
            try:
                work(json.loads(line))
                send(answers, {"ok": True})
            except AgentError as error:
                send(answers, {"code": error.code, "params": error.params})
            except Exception as error:
                send(answers, {"code": Unexpected.code, "params": {"kind": type(error).__name__}})
    return 0


def request(
    build: Build, folder: Path, cache: Path, installed: str, channel: str, *, check: bool, fetch: bool, patient: bool = True
) -> Message:
    """Check first, if requested; then download, if requested; a `patient` request postpones downloads while they would be a burden."""
    where = {"folder": str(folder), "cache": str(cache), "installed": installed, "channel": channel}
    return {"build": build.model_dump(mode="json"), **where, "check": check, "fetch": fetch, "patient": patient}


def work(asked: Message) -> None:
    """Raises UpdateError, OSError, StoreError."""
    build = Build.model_validate(asked["build"])
    updater = Updater(
        build,
        folder=Path(asked["folder"]),
        cache=Path(asked["cache"]),
        installed=asked["installed"],
        clock=lambda: datetime.now(UTC),
    )
    state = updater.check(asked["channel"]) if asked["check"] else updater.state(asked["channel"])
    wanted = (
        state.step is UpdateStep.AVAILABLE and not burden()
        if asked["patient"]
        else state.step in (UpdateStep.AVAILABLE, UpdateStep.MANAGED)
    )
    if asked["fetch"] and wanted:
        updater.download(asked["channel"])


def burden() -> bool:
    """Whether a download would cost money or drain a low battery, as far as the system tells."""
    power = read_power()
    return (power.on_battery and power.percent is not None and power.percent < LEAST_PERCENT) or is_metered()


async def ask(build: Build, folder: Path, cache: Path, installed: str, channel: str, *, check: bool, fetch: bool, patient: bool) -> None:
    """See `worker.request`. Raises UpdateError, StoreError, Unexpected."""
    network = {name: os.environ[name] for name in (*_NETWORK, *map(str.upper, _NETWORK)) if name in os.environ}
    asked = request(build, folder, cache, installed, channel, check=check, fetch=fetch, patient=patient)
    try:
        child = await Child.start(own_command("update-worker"), extra_environment=network, desktop=False)
        try:
            answer = await child.request(asked, timeout=DOWNLOAD_S if fetch else CHECK_S)
        finally:
            await child.kill()
    except (ChildExited, ChildTimeout) as error:
        raise UpdateUnreachable from error
    if "code" in answer:
        raise from_code(str(answer["code"]), dict(answer.get("params") or {}))
