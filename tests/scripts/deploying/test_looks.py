"""What stops a deployment on a host before anything is changed. Ports, files and databases are real, the programs made up."""

import json
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripts.deploying.backend import Check
from scripts.deploying.commands import Done
from scripts.deploying.environment import Environment, Host
from scripts.deploying.looks import HostLooks, _places
from scripts.deploying.program import Program
from scripts.deploying.releases import Releases
from tests.scripts.deploying.scripted import Scripted

HOUR_S = 3_600.0


class OneHost:
    """`serve` makes a release the current one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: dict[str, str | Done] = {}
        self.variables = ""
        self.without_backup = False
        with socket.socket() as one, socket.socket() as other:
            for each in (one, other):
                each.bind(("0.0.0.0", 0))
            self.port, self.operations_port = one.getsockname()[1], other.getsockname()[1]

    def serve(self) -> None:
        release = self.folder / "opt/releases/1.0-a"
        release.mkdir(parents=True)
        (release / "environment.env").write_text(
            f"AI_POPUP__SERVER__PORT={self.port}\nAI_POPUP__SERVER__OPERATIONS_PORT={self.operations_port}\n"
        )
        (self.folder / "opt/current").symlink_to("releases/1.0-a")

    def look(self) -> Mapping[str, Check]:
        (self.folder / "server.env").write_text(self.variables)
        host = Host(
            root=str(self.folder / "opt"),
            home=str(self.folder / "home"),
            state=str(self.folder),
            user="",
            environment_files=(str(self.folder / "server.env"),),
            port=self.port,
            operations_port=self.operations_port,
        )
        environment = Environment("prod", least_free_gb=0, host=host)
        runner = Scripted(self.answers)
        releases = Releases(environment, runner)
        looks = HostLooks(environment, runner, releases, Program(environment, runner, releases), without_backup=self.without_backup)
        return {each.name: each for each in looks.all()}


@pytest.fixture
def host(tmp_path: Path) -> OneHost:
    return OneHost(tmp_path)


def backups(age_s: float | None, problem: object = None) -> str:
    return json.dumps({"problem": problem, "repositories": [{"name": "local", "age_s": age_s}]})


def test_a_port_is_free_or_this_servers(host: OneHost) -> None:
    host.answers = {"is-active": Done(3)}
    assert host.look()["port"] == Check("port", f"{host.port} is free")
    with socket.create_server(("0.0.0.0", host.port)):
        assert "another program listens" in host.look()["port"].fault
        host.answers = {"is-active": Done(0)}
        assert host.look()["port"].fault == "", "a first version that failed left the socket"
        host.serve()
        assert host.look()["port"].fault == ""
        (host.folder / "opt/current/environment.env").write_text("AI_POPUP__SERVER__PORT=8443\n")
        assert "another program listens" in host.look()["port"].fault, "the server that runs has another one"


def test_the_newest_backup_must_not_be_old(host: OneHost) -> None:
    assert host.look()["backups"].said == "nothing to back up yet"
    host.serve()
    for age, fault in (
        (None, ""),
        (47 * HOUR_S, ""),
        (49 * HOUR_S, "local: the newest is older than 48 hours: see ai-popup backup status"),
    ):
        host.answers = {"backup status": Done(1, backups(age))}
        assert host.look()["backups"].fault == fault
    host.answers = {"backup status": Done(1, backups(None, {"cause": "pgBackRest is missing.", "remedy": "Install it."}))}
    assert host.look()["backups"].fault == "pgBackRest is missing. Install it."
    host.answers = {"backup status": Done(1, "", "no answer")}
    assert "no answer" in host.look()["backups"].fault
    host.without_backup = True
    assert host.look()["backups"].fault == ""


def test_a_secret_must_be_readable_for_the_servers_user(host: OneHost, tmp_path: Path) -> None:
    secret = tmp_path / "smtp"
    host.variables = f"AI_POPUP__INCIDENTS__SMTP_PASSWORD_FILE={secret}\n"
    host.answers = {f"test -r {secret}": Done(1)}
    assert str(secret) in host.look()["secrets"].fault
    host.answers = {}
    assert host.look()["secrets"] == Check("secrets", "1 files can be read")


def test_a_given_certificate_is_readable_valid_for_a_while_and_with_its_key(host: OneHost) -> None:
    assert host.look()["certificate"] == Check("certificate", "the server's own")
    host.variables = "AI_POPUP__SERVER__CERTIFICATE=/c/chain.pem\nAI_POPUP__SERVER__PRIVATE_KEY=/c/key.pem\n"
    host.answers = {"x509 -noout -pubkey": "one", "pkey -pubout": "one"}
    assert host.look()["certificate"] == Check("certificate", "valid for 14 days")
    host.answers["pkey -pubout"] = "other"
    assert "/c/key.pem is not its key" in host.look()["certificate"].fault
    host.answers["pkey -pubout"] = Done(1, "one")
    assert "asks for a password" in host.look()["certificate"].fault
    host.answers["-checkend"] = Done(1)
    assert "it ends within 14 days" in host.look()["certificate"].fault
    host.answers["test -r /c/key.pem"] = Done(1)
    fault = host.look()["certificate"].fault
    assert "can't read /c/key.pem" in fault and "/c/chain.pem" not in fault and "docs/team.md#certificate" in fault


def test_a_database_of_ones_own_must_answer(host: OneHost, tmp_path: Path) -> None:
    assert host.look()["database"].fault == ""
    with socket.create_server(("127.0.0.1", 0)) as database:
        port = database.getsockname()[1]
        host.variables = f"AI_POPUP__SERVER__DATABASE=postgresql://me:secret@127.0.0.1:{port}/library\n"
        assert host.look()["database"] == Check("database", "can be reached")
        host.variables = f"AI_POPUP__SERVER__DATABASE_FILE={tmp_path / 'address'}\n"
        host.answers = {"cat": f"postgresql://me:secret@127.0.0.1:{port}/library\n"}
        assert host.look()["database"].fault == ""
    fault = host.look()["database"].fault
    assert f"127.0.0.1:{port}" in fault and "secret" not in fault
    assert host.look()["backups"].fault == "", "its backups are made elsewhere"


@pytest.mark.parametrize(
    ("address", "places"),
    [
        ("postgresql://ada@db.test/library", [("db.test", 5432)]),
        ("postgresql://a:b@one:5433,two/library", [("one", 5433), ("two", 5432)]),
        ("postgresql:///library?host=/run/postgresql", [("/run/postgresql", 5432)]),
        ("postgresql://[::1]:5433/library", [("[::1]", 5433)]),
        ("postgresql:///library", [("localhost", 5432)]),
    ],
)
def test_an_address_names_its_hosts(address: str, places: list[tuple[str, int]]) -> None:
    assert list(_places(address)) == places


def test_the_clock_is_not_before_the_last_deployment_and_is_synchronised(host: OneHost, tmp_path: Path) -> None:
    host.answers = {"timedatectl": "yes\n"}
    assert host.look()["clock"] == Check("clock", "synchronised")
    host.answers = {"timedatectl": "no\n"}
    fault = host.look()["clock"].fault
    assert "timedatectl set-ntp true" in fault and "apt install systemd-timesyncd" in fault, "a small Debian has nothing to set it by"
    host.answers = {"timedatectl": Done(1)}
    assert host.look()["clock"].fault == "", "a host without that service"
    later = datetime.now(UTC) + timedelta(hours=1)
    (tmp_path / "record.jsonl").write_text(json.dumps({"at": later.isoformat()}) + "\n")
    assert "the last deployment was at" in host.look()["clock"].fault


def test_the_tools_of_backups_are_needed_where_backups_are_made(host: OneHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert host.look()["versions"].fault.startswith("not installed: apt install pgbackrest restic")
    host.without_backup = True
    assert host.look()["versions"].fault == ""
