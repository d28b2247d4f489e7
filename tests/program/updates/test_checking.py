"""A check and a download against a real server on this machine: what is taken, and what is refused."""

import json
import os
import shutil
import subprocess
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.domain.errors import (
    AgentError,
    UpdateDiskFull,
    UpdateExpired,
    UpdateInsecure,
    UpdateManaged,
    UpdateNotReady,
    UpdateOlder,
    UpdatesOff,
    UpdateUnreachable,
    UpdateUntrusted,
    UpdateWrongFile,
)
from agent.features.updates import update_worker
from agent.features.updates.memory import MEMORY_FILE
from agent.features.updates.releases import UpdateStep
from agent.features.updates.updater import Updater
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.package_info import Build, Channel, PackageKind
from tests.support.release_server import Publisher, publisher

CONTENT = os.urandom(3_000_000)


@pytest.fixture
def served() -> Iterator[Publisher]:
    with publisher() as found:
        yield found


class Machine:
    """A program 0.1.0 with folders of its own, and a clock that can be set."""

    def __init__(self, root: Path, build: Build) -> None:
        self.now = datetime.now(UTC) + timedelta(minutes=1)
        self.root = root
        self.updater = Updater(build, folder=root / "updates", cache=root / "cache", installed="0.1.0", clock=lambda: self.now)

    def refused(self, error: type[AgentError]) -> None:
        """Nothing is offered, and it is remembered why."""
        with pytest.raises(error):
            self.updater.check("stable")
        state = self.updater.state("stable")
        assert type(state.problem) is error and state.failures == 1 and state.checked_at == self.now
        assert state.step is UpdateStep.CURRENT


@pytest.fixture
def machine(tmp_path: Path, served: Publisher) -> Machine:
    return Machine(tmp_path, served.build())


def test_a_good_manifest_is_offered_downloaded_and_ready(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    state = machine.updater.check("stable")
    assert (state.step, state.version, state.problem) == (UpdateStep.AVAILABLE, "0.2.0", None)
    assert state.news["zh-CN"] == "一些小改进。"
    path = machine.updater.download("stable")
    assert path.read_bytes() == CONTENT and path.name == "AI-Popup.AppImage"
    assert machine.updater.state("stable").step is UpdateStep.READY
    asked = len(served.asked)
    machine.updater.download("stable")
    assert len(served.asked) == asked, "what is here whole is not fetched again"


def test_the_version_installed_is_no_news(machine: Machine, served: Publisher) -> None:
    served.announce("0.1.0", served.entry(CONTENT))
    assert machine.updater.check("stable").step is UpdateStep.CURRENT
    with pytest.raises(UpdateNotReady):
        machine.updater.download("stable")


def test_a_truncated_manifest_is_refused(machine: Machine, served: Publisher) -> None:
    served.pages["/stable.json"] = served.announce("0.2.0", served.entry(CONTENT))[:-200]
    machine.refused(UpdateUntrusted)


def test_a_manifest_whose_connection_breaks_is_refused(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    served.breaks = [100]
    machine.refused(UpdateUnreachable)


def test_a_manifest_signed_by_somebody_else_is_refused(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT), key=bytes(32))
    machine.refused(UpdateUntrusted)


def test_a_manifest_older_than_the_program_is_refused(machine: Machine, served: Publisher) -> None:
    served.announce("0.0.9", served.entry(CONTENT))
    machine.refused(UpdateOlder)


def test_an_expired_manifest_is_refused(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT), published=datetime.now(UTC) - timedelta(days=40))
    machine.refused(UpdateExpired)


def test_an_endless_manifest_is_refused(machine: Machine, served: Publisher) -> None:
    served.pages["/stable.json"] = b" " * 5_000_000
    machine.refused(UpdateUntrusted)


def test_a_replayed_manifest_is_refused_and_what_was_offered_stays(machine: Machine, served: Publisher) -> None:
    before = served.announce("0.2.0", served.entry(CONTENT), published=datetime.now(UTC) - timedelta(days=1))
    machine.updater.check("stable")
    served.announce("0.3.0", served.entry(CONTENT))
    assert machine.updater.check("stable").version == "0.3.0"
    served.pages["/stable.json"] = before
    with pytest.raises(UpdateOlder):
        machine.updater.check("stable")
    state = machine.updater.state("stable")
    assert state.version == "0.3.0" and isinstance(state.problem, UpdateOlder)


def test_another_channels_manifest_is_refused(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0b1", served.entry(CONTENT), channel="beta")
    served.pages["/stable.json"] = served.pages["/beta.json"]
    machine.refused(UpdateUntrusted)


def test_whoever_takes_betas_takes_what_is_finished_too(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    assert machine.updater.check("beta").version == "0.2.0", "there is no beta yet"
    served.announce("0.3.0b1", served.entry(CONTENT), channel="beta")
    assert machine.updater.check("beta").version == "0.3.0b1"
    served.announce("0.3.0", served.entry(CONTENT))
    assert machine.updater.check("beta").version == "0.3.0"
    served.pages["/beta.json"] = b"{}"
    with pytest.raises(UpdateUntrusted):
        machine.updater.check("beta")


def test_each_channel_has_its_own_newest(machine: Machine, served: Publisher) -> None:
    served.announce("0.3.0b1", served.entry(CONTENT), channel="beta")
    served.announce("0.2.0", served.entry(CONTENT))
    assert machine.updater.check("beta").version == "0.3.0b1"
    assert machine.updater.check("stable").version == "0.2.0"
    assert machine.updater.state("beta").step is UpdateStep.CURRENT, "what was offered on the other channel is not offered here"


def test_plain_http_is_refused_unless_a_test_build_allows_this_machine(tmp_path: Path, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    Machine(tmp_path, served.build(loopback=False)).refused(UpdateInsecure)
    assert served.asked == []
    other = Machine(tmp_path / "other", served.build(update_address="http://updates.invalid"))
    other.refused(UpdateInsecure)


def test_a_server_can_not_lead_from_a_safe_address_to_an_unsafe_one(machine: Machine, served: Publisher) -> None:
    served.elsewhere["/stable.json"] = "http://updates.invalid/stable.json"
    machine.refused(UpdateInsecure)


def test_without_an_address_or_a_key_nothing_is_asked(tmp_path: Path, served: Publisher) -> None:
    for build in (Build(), served.build(update_key=None), served.build(update_address=None)):
        machine = Machine(tmp_path, build)
        with pytest.raises(UpdatesOff):
            machine.updater.check("stable")
        assert machine.updater.state("stable").step is UpdateStep.OFF
    assert served.asked == []


def test_no_file_for_this_computer_is_said_and_nothing_is_offered(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT, platform="windows-x86_64", kind=PackageKind.NSIS))
    state = machine.updater.check("stable")
    assert state.step is UpdateStep.CURRENT and state.problem is not None and state.problem.code == "update.no_file"


# -- downloads ------------------------------------------------------------------------------------------------------------------------


def test_a_download_goes_on_where_the_connection_broke(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    machine.updater.check("stable")
    served.breaks = [1_000_000, 1_000_000]
    assert machine.updater.download("stable").read_bytes() == CONTENT
    ranges = [wanted for path, wanted in served.asked if path.endswith("AppImage")]
    assert ranges == [None, "bytes=1000000-", "bytes=2000000-"]


def test_a_later_start_goes_on_with_what_an_earlier_one_brought(machine: Machine, served: Publisher, tmp_path: Path) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    machine.updater.check("stable")
    served.breaks = [1_500_000, 0, 0, 0, 0, 0]
    with pytest.raises(UpdateUnreachable):
        machine.updater.download("stable")
    assert machine.updater.state("stable").step is UpdateStep.AVAILABLE
    again = Machine(tmp_path, served.build())
    assert again.updater.download("stable").read_bytes() == CONTENT
    assert served.asked[-1][1] == "bytes=1500000-"
    assert again.updater.state("stable").problem is None


def test_a_server_that_can_not_go_on_sends_all_of_it(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    machine.updater.check("stable")
    served.breaks, served.ranges = [1_000_000], False
    assert machine.updater.download("stable").read_bytes() == CONTENT


@pytest.mark.parametrize("facts", [{"sha256": "0" * 64}, {"size": len(CONTENT) - 1}])
def test_a_file_that_is_not_the_announced_one_is_deleted(machine: Machine, served: Publisher, facts: dict[str, Any]) -> None:
    served.announce("0.2.0", served.entry(CONTENT, **facts))
    machine.updater.check("stable")
    with pytest.raises(UpdateWrongFile):
        machine.updater.download("stable")
    assert list((machine.root / "cache").iterdir()) == []
    assert machine.updater.state("stable").step is UpdateStep.AVAILABLE


def test_a_file_that_is_shorter_than_announced_is_no_update(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT, size=len(CONTENT) + 1))
    machine.updater.check("stable")
    with pytest.raises((UpdateUnreachable, UpdateWrongFile)):
        machine.updater.download("stable")
    assert machine.updater.state("stable").step is UpdateStep.AVAILABLE


def test_a_full_disk_is_said_and_this_version_runs_on(machine: Machine, served: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    machine.updater.check("stable")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("agent.features.updates.download.shutil.disk_usage", lambda _: usage(1, 1, 0))
    with pytest.raises(UpdateDiskFull):
        machine.updater.download("stable")
    assert isinstance(machine.updater.state("stable").problem, UpdateDiskFull)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_while_writing_is_said(machine: Machine, served: Publisher) -> None:
    entry = served.entry(CONTENT)
    served.announce("0.2.0", entry)
    machine.updater.check("stable")
    (machine.root / "cache").mkdir()
    (machine.root / "cache" / f"{entry.sha256}.part").symlink_to("/dev/full")
    with pytest.raises(UpdateDiskFull):
        machine.updater.download("stable")


def test_an_older_download_makes_room_for_the_newer_one(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    machine.updater.check("stable")
    machine.updater.download("stable")
    served.announce("0.3.0", served.entry(CONTENT[:-1], "AI-Popup-3.AppImage"))
    machine.updater.check("stable")
    machine.updater.download("stable")
    assert [path.name for path in (machine.root / "cache").iterdir()] == ["AI-Popup-3.AppImage"]


# -- kinds, memory, worker ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "command"), [(PackageKind.DEB, "sudo apt install"), (PackageKind.RPM, "sudo dnf install"), (PackageKind.MSI, "msiexec /i")]
)
def test_packages_of_the_system_are_told_what_to_run(tmp_path: Path, served: Publisher, kind: PackageKind, command: str) -> None:
    machine = Machine(tmp_path, served.build(kind))
    served.announce("0.2.0", served.entry(CONTENT, "ai-popup.package", kind))
    state = machine.updater.check("stable")
    assert (state.step, state.command) == (UpdateStep.MANAGED, "ai-popup update download")
    path = machine.updater.download("stable")
    assert machine.updater.state("stable").command == f'{command} "{path}"'
    assert machine.updater.ready("stable") is None


def test_a_wheel_is_told_of_pipx(tmp_path: Path, served: Publisher) -> None:
    machine = Machine(tmp_path, served.build(PackageKind.WHEEL, Channel.STABLE))
    served.announce("0.2.0")
    assert machine.updater.check("stable").command == "pipx upgrade my-ai-popup"
    with pytest.raises(UpdateManaged):
        machine.updater.download("stable")


def test_a_memory_that_can_not_be_read_is_an_empty_one(machine: Machine, served: Publisher) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    machine.updater.check("stable")
    (machine.root / "updates" / MEMORY_FILE).write_text("{")
    assert machine.updater.state("stable").step is UpdateStep.CURRENT
    assert machine.updater.check("stable").step is UpdateStep.AVAILABLE


def test_a_child_checks_and_downloads_and_says_what_failed(machine: Machine, served: Publisher, tmp_path: Path) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    build, folder, cache = served.build(), tmp_path / "updates", tmp_path / "cache"
    asked = update_worker.request(build, folder, cache, "0.1.0", "stable", check=True, fetch=True)
    nowhere = served.build(update_address=f"{served.address}/nowhere")
    wrong = update_worker.request(nowhere, folder, cache, "0.1.0", "stable", check=True, fetch=True)
    lines = "".join(json.dumps(each) + "\n" for each in (asked, wrong, {}))
    done = subprocess.run(own_command("update-worker"), input=lines, capture_output=True, text=True, timeout=60, check=True)
    good, missing, odd = map(json.loads, done.stdout.splitlines())
    assert good == {"ok": True} and missing["code"] == "update.unreachable" and odd["code"] == "agent.unexpected"
    assert machine.updater.state("stable").step is UpdateStep.READY


def test_nothing_is_downloaded_where_that_costs_or_the_battery_is_low(
    served: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.announce("0.2.0", served.entry(CONTENT))
    monkeypatch.setattr(update_worker, "burden", lambda: True)
    update_worker.work(
        update_worker.request(served.build(), tmp_path / "updates", tmp_path / "cache", "0.1.0", "stable", check=True, fetch=True)
    )
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(update_worker, "burden", lambda: False)
    update_worker.work(
        update_worker.request(served.build(), tmp_path / "updates", tmp_path / "cache", "0.1.0", "stable", check=False, fetch=True)
    )
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["AI-Popup.AppImage"]
    shutil.rmtree(tmp_path / "cache")
