"""What a host's deployment looks at before it changes anything. No look writes."""

import json
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from scripts.deploying.asking import asked
from scripts.deploying.backend import Check
from scripts.deploying.commands import Runner
from scripts.deploying.environment import SHIPPED, Environment, Host, own_folder
from scripts.deploying.failures import Failed
from scripts.deploying.program import Program
from scripts.deploying.record import Book
from scripts.deploying.releases import Releases

SERVER, SOCKET = "ai-popup.service", "ai-popup.socket"
_GIGABYTE, _HOUR_S = 1_000_000_000, 3_600
_OLDEST_PYTHON = (3, 11)
_NO_TIME = "it is not synchronised: apt install systemd-timesyncd, unless chrony or the like is there; then timedatectl set-ntp true"
_CONNECT_S = 10.0
_DATABASE = "AI_POPUP__SERVER__DATABASE"
_CERTIFICATE = ("AI_POPUP__SERVER__CERTIFICATE", "AI_POPUP__SERVER__PRIVATE_KEY")
_TOOLS = ("pgbackrest", "restic")
_PORTS = {"AI_POPUP__SERVER__PORT": 8443, "AI_POPUP__SERVER__OPERATIONS_PORT": 9464}


class HostLooks:
    def __init__(
        self, environment: Environment, runner: Runner, releases: Releases, program: Program, *, without_backup: bool = False
    ) -> None:
        self._environment = environment
        self._host = environment.host
        self._runner = runner
        self._program = program
        self._without_backup = without_backup
        self._current = releases.linked("current")

    def all(self) -> list[Check]:
        return [
            self._versions(),
            self._space(),
            self._systemd(),
            self._user(),
            self._files(),
            self._secrets(),
            self._replaced(),
            self._clock(),
            *self._ports(),
            self._certificate(),
            self._running(),
            self._database(),
            self._backups(),
        ]

    # -- the computer ------------------------------------------------------------------------------------------------------------
    def _versions(self) -> Check:
        """Look for what the program runs on; a release's own environment is made with this Python."""
        said = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
        if sys.version_info[:2] < _OLDEST_PYTHON:
            return Check("versions", fault=f"{said} is too old: {_OLDEST_PYTHON[0]}.{_OLDEST_PYTHON[1]} or newer is needed")
        missing = [name for name in _TOOLS if self._backed_up_here and shutil.which(name) is None]
        fault = f"not installed: apt install {' '.join(missing)}, or leave the backup out by --without-backup" if missing else ""
        return Check("versions", said, fault)

    def _space(self) -> Check:
        """Look at both disks: the releases', and the data's, which a migration may fill."""
        wanted, said = self._environment.least_free_gb, []
        for place in (self._host.root, self._host.home):
            folder = next((each for each in (Path(place), *Path(place).parents) if each.is_dir()), Path("/"))
            free = shutil.disk_usage(folder).free / _GIGABYTE
            if free < wanted:
                return Check("disk", fault=f"{free:.1f} GB are free below {place}; {wanted:.0f} are needed")
            said.append(f"{free:.1f} GB free below {place}")
        return Check("disk", ", ".join(said))

    def _systemd(self) -> Check:
        fault = "" if shutil.which("systemctl") else "there is no systemctl: deploy on a host with systemd, Compose or Kubernetes"
        return Check("systemd", "there", fault)

    def _clock(self) -> Check:
        """Look whether the clock is right: certificates, sign-ins and backups go by it."""
        now, last = datetime.now(UTC), Book(self._environment.state).last_at()
        if last is not None and now < last:
            return Check("clock", fault=f"it shows {now:%F %T} UTC, and the last deployment was at {last:%F %T}: set it, see timedatectl")
        try:
            done = self._runner.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
        except Failed:
            return Check("clock", "not before the last deployment; nothing here says whether it is synchronised")
        fault = _NO_TIME if done.code == 0 and done.out.strip() == "no" else ""
        return Check("clock", "synchronised" if done.out.strip() == "yes" else "not before the last deployment", fault)

    def _ports(self) -> Iterator[Check]:
        """Look whether the ports are free, or held by the units of this server."""
        serving = None if self._current is None else self._program.variables(self._current)
        for name, port, unit in (("port", self._host.port, SOCKET), ("operations port", self._host.operations_port, SERVER)):
            if _free(port):
                yield Check(name, f"{port} is free")
                continue
            variable = next(each for each, usual in _PORTS.items() if each.endswith("OPERATIONS_PORT") == (unit == SERVER))
            same = serving is None or str(port) == serving.get(variable, str(_PORTS[variable]))
            ours = same and self._runner.run(["systemctl", "is-active", "--quiet", unit]).code == 0
            fault = "" if ours else f"another program listens at {port}: ss --listening --tcp --processes 'sport = :{port}' names it"
            yield Check(name, f"{port} is this server's", fault)

    def _user(self) -> Check:
        """Look whether the server's user is there; without a name the programs run as the user who deploys."""
        user, home = self._host.user, self._host.home
        there = not user or self._runner.run(["id", "--user", user]).code == 0
        remedy = f"useradd --system --shell /usr/sbin/nologin --home-dir {home} {user}"
        return Check("user", user or "the one who deploys", "" if there else f"there is no user {user}: {remedy}")

    # -- the settings ------------------------------------------------------------------------------------------------------------
    def _files(self) -> Check:
        missing = [each for each in self._host.environment_files if not Path(each).is_file()]
        said = f"{', '.join(missing)} missing: copy installers/server/systemd/server.env there" if missing else ""
        return Check("settings", "there", said)

    def _secrets(self) -> Check:
        """Look whether the server's user can read the files that the settings name in place of a secret."""
        files = {name: value for name, value in self._program.variables(None).items() if name.endswith("_FILE") and value.startswith("/")}
        return Check("secrets", f"{len(files)} files can be read", self._hidden(files))

    def _hidden(self, files: Mapping[str, str]) -> str:
        hidden = [f"{path} ({name})" for name, path in files.items() if self._program.command(None, "test", "-r", path).code != 0]
        user = self._host.user or "the server's user"
        return f"{user} can't read {', '.join(hidden)}: chgrp {user} FILE && chmod 640 FILE" if hidden else ""

    def _replaced(self) -> Check:
        """Look whether the examples of an environment were replaced by what is true here."""
        left = [name for name, value in self._environment.variables().items() if "example.org" in value]
        name = f"{self._environment.name}.toml"
        own = own_folder() / name
        where = f"replace example.org in {own}"
        if not own.is_file():
            where = f"install -D -m 644 {SHIPPED}/{name} {own}, then replace example.org there"
        return Check("names", "this host's", f"{where}: {', '.join(left)}" if left else "")

    def _certificate(self) -> Check:
        """Look how long a given certificate is valid, and for its key; the server renews its own."""
        variables = self._program.variables(None)
        files = {name: path for name in _CERTIFICATE if (path := variables.get(name, ""))}
        if len(files) < len(_CERTIFICATE):
            return Check("certificate", "the server's own")
        certificate, key = files.values()
        if hidden := self._hidden(files):
            return Check("certificate", fault=f"{hidden}; of files by certbot the server gets copies, see docs/team.md#certificate")
        days = self._environment.certificate_days
        if self._runner.run(["openssl", "x509", "-noout", "-checkend", str(days * 86_400), "-in", certificate]).code != 0:
            return Check("certificate", fault=f"it ends within {days} days, or is none")
        public = self._runner.run(["openssl", "x509", "-noout", "-pubkey", "-in", certificate]).out
        own = self._runner.run(["openssl", "pkey", "-pubout", "-passin", "pass:", "-in", key])
        fault = f"{key} is not its key, or asks for a password" if own.code != 0 or own.out != public else ""
        return Check("certificate", f"valid for {days} days", fault)

    # -- the server --------------------------------------------------------------------------------------------------------------
    def _running(self) -> Check:
        if self._current is None:
            return Check("running version", "none")
        fault = asked(ready_address(self._host))
        return Check(
            "running version",
            f"{self._current}, ready",
            f"{self._current} is not ready ({fault}): mend or roll back first" if fault else "",
        )

    def _database(self) -> Check:
        """Look whether a database of one's own can be reached; the step `check` asks it."""
        address = self._address()
        if not address:
            return Check("database", "the one that comes with the program")
        places = list(_places(address))
        faults = [fault for host, port in places if (fault := _unreachable(host, port))]
        fault = f"it can't be reached: {', '.join(faults)}" if len(faults) == len(places) else ""
        return Check("database", "can be reached", fault)

    def _backups(self) -> Check:
        """Look at the backups before this one: whether they are made at all, and how old the newest is."""
        if self._current is None or not self._backed_up_here:
            return Check("backups", "nothing to back up yet" if self._current is None else "made elsewhere, or left out, as told")
        done = self._program.run(self._current, "backup", "status", "--json")
        try:
            said = json.loads(done.out)
            problem, ages = said["problem"], {each["name"]: each["age_s"] for each in said["repositories"]}
        except (ValueError, KeyError, TypeError):
            return Check("backups", fault=f"ai-popup backup status failed ({done.code}): {done.errors.strip()[-500:]}")
        if problem is not None:
            return Check("backups", fault=f"{problem['cause']} {problem['remedy']}".strip())
        limit = self._environment.backup_hours
        old = [name for name, age in ages.items() if age is not None and age > limit * _HOUR_S]
        fault = f"{', '.join(old)}: the newest is older than {limit} hours: see ai-popup backup status" if old else ""
        made = [f"{name} {age / _HOUR_S:.1f} hours old" for name, age in ages.items() if age is not None]
        return Check("backups", ", ".join(made) or "none yet; this deployment makes the first", fault)

    @property
    def _backed_up_here(self) -> bool:
        return not self._without_backup and not self._address()

    def _address(self) -> str:
        """Return the address of a database of one's own, or nothing."""
        variables = self._program.variables(None)
        if file := variables.get(f"{_DATABASE}_FILE"):
            return self._program.command(None, "cat", file).out.strip()
        return variables.get(_DATABASE, "")


def ready_address(host: Host) -> str:
    return f"http://{host.address}:{host.operations_port}/ready"


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that end don't block it
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


def _places(address: str) -> Iterator[tuple[str, int]]:
    """Yield the hosts of an address as libpq reads it: several with commas, or the folder of a socket."""
    said = urlsplit(address)
    named = parse_qs(said.query).get("host", [])
    for each in (said.netloc.rpartition("@")[2] or ",".join(named) or "localhost").split(","):
        host, colon, port = each.rpartition(":")
        yield (host, int(port)) if colon and port.isdigit() else (each, 5432)


def _unreachable(host: str, port: int) -> str:
    """Return which place doesn't answer, or nothing."""
    if host.startswith("/"):
        return "" if Path(host, f".s.PGSQL.{port}").is_socket() else host
    try:
        socket.create_connection((host.strip("[]"), port), _CONNECT_S).close()
    except OSError as error:
        return f"{host}:{port} ({type(error).__name__})"
    return ""
