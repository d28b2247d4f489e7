"""One host with systemd: releases in folders, and a socket that outlives the server."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from scripts.deploying import by_hand
from scripts.deploying.asking import asked
from scripts.deploying.backend import Check
from scripts.deploying.commands import Runner, expect
from scripts.deploying.environment import Environment
from scripts.deploying.failures import Failed
from scripts.deploying.files import sync_folder, write
from scripts.deploying.looks import SERVER, SOCKET, HostLooks, ready_address
from scripts.deploying.migrations import fitting, migrated, planned
from scripts.deploying.program import Program
from scripts.deploying.releases import Releases

RESUME = "ai-popup-deploy-resume.service"
_LOOK_S = 0.5


class HostBackend:
    """`without_backup` is for a database whose backups are made elsewhere; the record says so."""

    def __init__(self, environment: Environment, runner: Runner, releases: Releases, *, without_backup: bool = False) -> None:
        self._environment = environment
        self._host = environment.host
        self._runner = runner
        self._releases = releases
        self._without_backup = without_backup
        self._program = Program(environment, runner, releases)

    def current(self) -> str | None:
        return self._releases.linked("current")

    def former(self) -> str | None:
        return self._releases.linked("former")

    def version(self) -> str:
        return self._releases.version()

    # -- before the switch -------------------------------------------------------------------------------------------------------
    def preflight(self) -> list[Check]:
        return HostLooks(self._environment, self._runner, self._releases, self._program, without_backup=self._without_backup).all()

    def build(self, version: str) -> str:
        (Path(self._host.root) / "releases").mkdir(parents=True, exist_ok=True)
        self._make_home()
        return self._releases.build(version)

    def check(self, version: str) -> str:
        expect(self._program.run(version, "config", "validate"), "checking the settings")
        plan = self._migrations(version, "--expand")
        if not plan["online"] and self.current() is not None:
            raise Failed(
                f"the version that runs now does not work after the migrations to {plan['program']}: "
                "deploy the release between them first, or upgrade with the server stopped as docs/operate/upgrade.md says"
            )
        self._fetch_models(version)
        return planned(plan)

    def fits(self, version: str) -> str:
        fitting(self._program.run(version, "server", "migrate", "--check"), version)
        return "it works on the database as it is"

    def backup(self, version: str) -> str:
        current = self.current()
        if current is None:
            return "nothing to back up yet"
        if self._without_backup:
            return "left out, as told"
        expect(self._program.run(current, "backup", "now", "--verify"), "making a backup")
        return "made and read back"

    def migrate(self, version: str) -> str:
        said = expect(self._program.run(version, "server", "migrate", "--expand", "--json"), "migrating the database")
        return migrated(json.loads(said))

    def left(self, version: str) -> int:
        return int(self._migrations(version, "--expand")["left"])

    def contract(self, version: str) -> str:
        return migrated(json.loads(expect(self._program.run(version, "server", "migrate", "--json"), "taking the contract steps")))

    # -- the switch --------------------------------------------------------------------------------------------------------------
    def switch(self, version: str | None) -> str:
        if version is None:
            self._systemctl("stop", SERVER, *self._workers())
            self._releases.link("current", None)
            return "stopped"
        self._install_units(version)
        self._releases.link("current", version)
        by_hand.link(self._host)
        self._systemctl("enable", "--now", SOCKET)
        self._systemctl("enable", SERVER, RESUME)
        self._systemctl("restart", SERVER)
        for worker in self._workers():
            self._systemctl("enable", worker)
            self._systemctl("restart", worker)
        return "started behind the same socket"

    def gate(self, version: str) -> str:
        began, last = time.monotonic(), "no answer"
        while True:
            last = asked(ready_address(self._host))
            if not last:
                break
            if self._runner.run(["systemctl", "is-failed", "--quiet", SERVER]).code == 0:
                raise Failed(f"the server ended: {last}")
            if time.monotonic() - began > self._environment.gate_s:
                raise Failed(f"not ready after {self._environment.gate_s:.0f} s: {last}")
            time.sleep(_LOOK_S)
        if fault := asked(f"https://{self._host.address}:{self._host.port}/"):
            raise Failed(f"ready, but a real request failed: {fault}")
        return f"ready and answering after {time.monotonic() - began:.1f} s"

    def retire(self, version: str, former: str | None) -> str:
        if former is not None and former != version:
            self._releases.link("former", former)
        return f"old releases removed: {self._releases.retire({version, *filter(None, [self.former()])})}"

    def _make_home(self) -> None:
        """The unit's StateDirectory= makes it only when it starts, and the program is asked before, as its user."""
        home, user = Path(self._host.home), self._host.user
        if home.is_dir():
            return
        home.mkdir(mode=0o700, parents=True)
        try:
            if user:
                shutil.chown(home, user, user)
        except LookupError:
            home.rmdir()
            raise Failed(f"there is no user and group {user}: docs/operate/host.md says how to make them") from None

    # -- commands ----------------------------------------------------------------------------------------------------------------
    def _fetch_models(self, version: str) -> None:
        """Fetch the models that it lacks: without them it would not become ready, and would be taken back after the gate's time."""
        try:
            expect(self._program.run(version, "models", "fetch", "--quiet"), "fetching the models")
        except Failed as failure:
            command = self._releases.folder(version) / by_hand.NAME
            raise Failed(f"{failure}\nWithout a network: {command} models add FILE, then deploy again") from failure

    def _migrations(self, version: str, *words: str) -> dict[str, Any]:
        said = expect(self._program.run(version, "server", "migrate", "--plan", "--json", *words), "asking for the migrations")
        found: dict[str, Any] = json.loads(said)
        return found

    def _workers(self) -> list[str]:
        return [f"ai-popup-worker@{number}.service" for number in range(1, self._host.workers + 1)]

    def _systemctl(self, *words: str) -> None:
        expect(self._runner.run(["systemctl", *words]), f"systemctl {' '.join(words)}")

    def _install_units(self, version: str) -> None:
        units, changed = Path(self._host.units), False
        for unit in sorted((self._releases.folder(version) / "deploy/systemd").iterdir()):
            if unit.suffix not in (".service", ".socket", ".timer"):
                continue
            content = unit.read_bytes()
            if not (units / unit.name).is_file() or (units / unit.name).read_bytes() != content:
                write(units / unit.name, content)
                changed = True
        if changed:
            sync_folder(units)
            self._systemctl("daemon-reload")
