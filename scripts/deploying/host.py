"""One host with systemd: releases in folders, and a socket that outlives the server."""

import json
import shutil
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

from scripts.deploying.backend import Check
from scripts.deploying.commands import Done, Runner, expect
from scripts.deploying.environment import Environment
from scripts.deploying.failures import Failed
from scripts.deploying.files import sync_folder, write
from scripts.deploying.releases import Releases

SERVER, SOCKET, RESUME = "ai-popup.service", "ai-popup.socket", "ai-popup-deploy-resume.service"
_GIGABYTE = 1_000_000_000
_LOOK_S = 0.5
_ANSWER_S = 60.0


class HostBackend:
    """`without_backup` is for a database whose backups are made elsewhere; the record says so."""

    def __init__(self, environment: Environment, runner: Runner, releases: Releases, *, without_backup: bool = False) -> None:
        self._environment = environment
        self._host = environment.host
        self._runner = runner
        self._releases = releases
        self._without_backup = without_backup

    def current(self) -> str | None:
        return self._releases.linked("current")

    def former(self) -> str | None:
        return self._releases.linked("former")

    def version(self) -> str:
        return self._releases.version()

    # -- before the switch -------------------------------------------------------------------------------------------------------
    def preflight(self) -> list[Check]:
        return [self._space(), self._systemd(), self._files(), self._replaced(), *self._certificate(), *self._running()]

    def build(self, version: str) -> str:
        (Path(self._host.root) / "releases").mkdir(parents=True, exist_ok=True)
        return self._releases.build(version)

    def check(self, version: str) -> str:
        expect(self._program(version, "config", "validate"), "checking the settings")
        plan = self._migrations(version)
        if not plan["online"] and self.current() is not None:
            raise Failed(
                f"the version that runs now does not work after the migrations to {plan['program']}: "
                "deploy the release between them first, or upgrade with the server stopped as docs/operate/upgrade.md says"
            )
        steps = plan["steps"]
        return f"schema {plan['found'] or 'none'}, {len(steps) if isinstance(steps, list) else 0} steps"

    def fits(self, version: str) -> str:
        expect(self._program(version, "server", "migrate", "--check"), f"asking whether {version} works on the database")
        return "it works on the database as it is"

    def backup(self, version: str) -> str:
        current = self.current()
        if current is None:
            return "nothing to back up yet"
        if self._without_backup:
            return "left out, as told"
        expect(self._program(current, "backup", "now"), "making a backup")
        return "made"

    def migrate(self, version: str) -> str:
        said = json.loads(expect(self._program(version, "server", "migrate", "--json"), "migrating the database"))
        return f"schema {said['program']}" + ("" if said["migrated"] else ", as it was")

    # -- the switch --------------------------------------------------------------------------------------------------------------
    def switch(self, version: str | None) -> str:
        if version is None:
            self._systemctl("stop", SERVER, *self._workers())
            self._releases.link("current", None)
            return "stopped"
        self._install_units(version)
        self._releases.link("current", version)
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
            last = self._ready()
            if not last:
                break
            if self._runner.run(["systemctl", "is-failed", "--quiet", SERVER]).code == 0:
                raise Failed(f"the server ended: {last}")
            if time.monotonic() - began > self._environment.gate_s:
                raise Failed(f"not ready after {self._environment.gate_s:.0f} s: {last}")
            time.sleep(_LOOK_S)
        if fault := self._real_request():
            raise Failed(f"ready, but a real request failed: {fault}")
        return f"ready and answering after {time.monotonic() - began:.1f} s"

    def retire(self, version: str, former: str | None) -> str:
        if former is not None and former != version:
            self._releases.link("former", former)
        return f"{self._releases.retire({version, *filter(None, [self.former()])})} old releases removed"

    # -- looks -------------------------------------------------------------------------------------------------------------------
    def _space(self) -> Check:
        folder = next(each for each in (Path(self._host.root), *Path(self._host.root).parents) if each.is_dir())
        free = shutil.disk_usage(folder).free / _GIGABYTE
        wanted = self._environment.least_free_gb
        fault = f"{free:.1f} GB are free below {self._host.root}; {wanted:.0f} are needed" if free < wanted else ""
        return Check("disk", f"{free:.1f} GB free", fault)

    def _systemd(self) -> Check:
        fault = "" if shutil.which("systemctl") else "there is no systemctl: deploy on a host with systemd, Compose or Kubernetes"
        return Check("systemd", "there", fault)

    def _files(self) -> Check:
        missing = [each for each in self._host.environment_files if not Path(each).is_file()]
        said = f"{', '.join(missing)} missing: copy installers/server/systemd/server.env" if missing else ""
        return Check("settings", "there", said)

    def _replaced(self) -> Check:
        """Look whether the examples of an environment were replaced by what is true here."""
        left = [name for name, value in self._environment.variables().items() if "example.org" in value]
        return Check("names", "this host's", f"replace example.org in {self._environment.name}.toml: {', '.join(left)}" if left else "")

    def _certificate(self) -> list[Check]:
        """Look how long a given certificate is valid; the server renews its own."""
        variables = self._variables(None)
        path = variables.get("AI_POPUP__SERVER__CERTIFICATE", "")
        if not path:
            return [Check("certificate", "the server's own")]
        days = self._environment.certificate_days
        done = self._runner.run(["openssl", "x509", "-noout", "-checkend", str(days * 86_400), "-in", path])
        return [Check("certificate", f"valid for {days} days", "" if done.code == 0 else f"it ends within {days} days, or can't be read")]

    def _running(self) -> list[Check]:
        current = self.current()
        if current is None:
            return [Check("running version", "none")]
        fault = self._ready()
        return [
            Check("running version", f"{current}, ready", f"{current} is not ready ({fault}): mend or roll back first" if fault else "")
        ]

    def _ready(self) -> str:
        """Return what is in the way, or nothing."""
        return _asked(f"http://{self._host.address}:{self._host.operations_port}/ready")

    def _real_request(self) -> str:
        return _asked(f"https://{self._host.address}:{self._host.port}/")

    # -- commands ----------------------------------------------------------------------------------------------------------------
    def _migrations(self, version: str) -> dict[str, object]:
        said = expect(self._program(version, "server", "migrate", "--plan", "--json"), "asking for the migrations")
        found: dict[str, object] = json.loads(said)
        return found

    def _program(self, version: str, *words: str) -> Done:
        command = [str(self._releases.folder(version) / "bin/ai-popup"), *words]
        return self._runner.run(command, environment=self._variables(version), user=self._host.user)

    def _variables(self, version: str | None) -> dict[str, str]:
        """Return the environment of the unit: the release's settings, then the host's."""
        found = self._environment.variables() if version is None else {}
        files = [
            *([] if version is None else [self._releases.folder(version) / "environment.env"]),
            *map(Path, self._host.environment_files),
        ]
        for path in files:
            if path.is_file():
                found |= _read_variables(path.read_text(encoding="utf-8"))
        return {"AI_POPUP_HOME": self._host.home, **found}

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


def _asked(url: str) -> str:
    """Ask once; returns what is wrong. Whose certificate it is, is not the question here: the address is the host's own."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        with opener.open(url, timeout=_ANSWER_S) as answer:
            return "" if answer.status == 200 else f"status {answer.status}"
    except urllib.error.HTTPError as error:
        return f"status {error.code}: {error.read(500).decode('utf-8', 'replace')}"
    except (OSError, ValueError) as error:
        return type(error).__name__


def _read_variables(text: str) -> dict[str, str]:
    found = {}
    for line in map(str.strip, text.splitlines()):
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            value = value.strip()
            found[name.strip()] = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
    return found
