"""scripts/deploy.sh on a host in a network namespace: versions follow each other under load, and what goes wrong is taken back.

systemd is not the first process here: tests/support/fake_systemd.py runs the real units in its place.
"""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.deploying.deployment import DEPLOY
from tests.support.deployment_host import DeployedHost, Version, Visitor

pytestmark = [
    pytest.mark.timeout(0),
    pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's"),
    # Developers who are not root see it skipped; CI is root, and allows no skips.
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root and iproute2"),
]
WITHOUT = "--without-backup"
READINESS, NO_DATABASE = "agent/app/server/readiness.py", r"        if database is None:\n"


@pytest.fixture
def host(tmp_path: Path, models_folder: Path) -> Iterator[DeployedHost]:
    host = DeployedHost(tmp_path / "host", models_folder)
    host.start()
    yield host
    host.remove()


def names(host: DeployedHost, key: str) -> set[str]:
    with host.client(key) as visitor:
        answer = visitor.get("/api/members")
        assert answer.status_code == 200, answer.text
        return {member["name"] for member in answer.json()["items"]}


def add(host: DeployedHost, key: str, name: str) -> None:
    with host.client(key) as visitor:
        answer = visitor.post("/api/members", json={"name": name, "display_name": name.title(), "role": "viewer"})
        assert answer.is_success, answer.text


def ends(host: DeployedHost) -> list[str]:
    return [line["result"] for line in host.record() if line["event"] == "end"]


def test_versions_follow_each_other_and_what_fails_is_taken_back(host: DeployedHost, tmp_path: Path) -> None:
    first, second = Version(tmp_path / "first", "1.0"), Version(tmp_path / "second", "2.0")
    second.migrates()
    code, said = host.deploy(first, "--plan")
    assert code == 0 and "nothing -> 1.0-" in said and not (tmp_path / "host/state").exists() and not (tmp_path / "host/opt").exists()
    with host.taken(8443):
        code, said = host.deploy(first)
        assert code == 1 and "another program listens at 8443" in said and not (tmp_path / "host/opt").exists(), said
    code, said = host.deploy(first)
    assert code == 0, said
    key = host.sign_in_first()
    add(host, key, "ann")
    visitors = [Visitor(host, key, anew=anew) for anew in (False, True)]
    for each in visitors:
        each.start()

    code, said = host.deploy(second)
    assert (code, host.current) == (0, "2.0"), said
    [backup] = [line["said"] for line in host.record() if line["event"] == "done" and line["step"] == "backup" and line["from"]]
    assert backup == "made and read back"
    assert host.deploy(second)[0] == 0, "again: nothing to do"
    add(host, key, "ben")

    unhealthy = Version(tmp_path / "unhealthy", "3.0")
    unhealthy.migrates()
    unhealthy.change(READINESS, NO_DATABASE, "        if True:\n")
    (host.root / "environments/prod.toml").write_text(
        (host.root / "environments/prod.toml").read_text().replace("gate_s = 60", "gate_s = 5")
    )
    code, said = host.deploy(unhealthy)
    assert (code, host.current) == (1, "2.0") and "not ready after" in said and "serves again" in said, said

    failing = Version(tmp_path / "failing", "4.0")
    failing.migrates()
    failing.change("agent/infrastructure/store/schema.py", '(?m)^REVISION = "9000"', 'REVISION = "9001"')
    text = (failing.folder / "agent/infrastructure/store/migrations/versions/v9000_later.py").read_text()
    text = (
        text.replace('"9000"', '"9001"').replace('down_revision = "', 'down_revision = "9000"  # "').replace("TABLE later", "TABLE latest")
    )
    (failing.folder / "agent/infrastructure/store/migrations/versions/v9001_latest.py").write_text(
        text + '    raise RuntimeError("it fails")\n'
    )
    code, said = host.deploy(failing)
    assert (code, host.current) == (1, "2.0") and "migrating the database failed" in said, said
    assert names(host, key) == {"admin", "ann", "ben"}

    code, said = host.deploy(second, "--rollback")
    assert (code, host.current) == (0, "1.0"), said
    assert names(host, key) == {"admin", "ann", "ben"}, "the older version works on the newer schema"
    answers = sum((each.ended() for each in visitors), Counter[str]())
    print(dict(answers))
    assert set(answers) == {"200"}, answers

    assert ends(host) == ["failed", "ok", "ok", "rolled back", "failed", "ok"]
    lines = host.record()
    assert {line["who"] for line in lines} == {"ada"} and {line["environment"] for line in lines} == {"prod"}
    assert [line["step"] for line in lines if line["event"] == "done"][: len(DEPLOY)] == list(DEPLOY)
    assert all(line["seconds"] >= 0 for line in lines if line["event"] == "done")


def test_the_old_version_answers_with_its_data_after_the_power_was_lost_at_any_step(host: DeployedHost, tmp_path: Path) -> None:
    first, second = Version(tmp_path / "first", "1.0"), Version(tmp_path / "second", "2.0")
    second.migrates()
    # A version that is ready at once may have passed the gate, and rightly stays, before the power is lost.
    not_yet = tmp_path / "not yet"
    second.change(READINESS, NO_DATABASE, f'        if database is None or __import__("os").path.exists({str(not_yet)!r}):\n')
    not_yet.touch()
    code, said = host.deploy(first)
    assert code == 0, said
    key = host.sign_in_first()
    add(host, key, "ann")
    for step in ("build", "migrate", "switch", "gate"):
        process = host.begin_to(step, second, WITHOUT)
        host.power_off()
        process.communicate()
        host.start()
        code, said = host.deploy(second, "--resume")
        assert (code, host.current) == (0, "1.0"), (step, said)
        assert names(host, key) == {"admin", "ann"}, step
        assert not (host.root / "state/state.json").exists()
    not_yet.unlink()
    code, said = host.deploy(second, WITHOUT)
    assert (code, host.current) == (0, "2.0"), said
    assert names(host, key) == {"admin", "ann"}
    assert set(ends(host)) <= {"ok", "interrupted", "rolled back"}


def test_an_interrupted_deployment_is_continued_by_the_same_command_and_only_one_runs(host: DeployedHost, tmp_path: Path) -> None:
    version = Version(tmp_path / "first", "1.0")
    process = host.begin_to("migrate", version)
    code, said = host.deploy(version)
    assert code == 1 and "another deployment is running" in said
    host.power_off()
    process.communicate()
    host.start()
    code, said = host.deploy(version)
    assert (code, host.current) == (0, "1.0"), said
    assert [line["step"] for line in host.record() if line["event"] == "done"].count("build") == 1


def test_a_contract_step_waits_until_nobody_needs_the_version_before(host: DeployedHost, tmp_path: Path) -> None:
    first, second = Version(tmp_path / "first", "1.0"), Version(tmp_path / "second", "2.0")
    second.contracts()
    code, said = host.deploy(first)
    assert code == 0, said
    key = host.sign_in_first()
    add(host, key, "ann")

    code, said = host.deploy(second)
    assert (code, host.current) == (0, "2.0") and "contract steps left: 1" in said, said
    code, said = host.deploy(second, "--contract")
    assert code == 0 and "contract: schema 9001" in said, said
    assert names(host, key) == {"admin", "ann"}
    code, said = host.deploy(second, "--contract")
    assert code == 0 and "no contract step is left" in said, said
    code, said = host.deploy(second, "--rollback")
    assert (code, host.current) == (1, "2.0") and "ai-popup backup restore" in said, said
    assert names(host, key) == {"admin", "ann"}
    assert next(line["said"] for line in host.record() if line["event"] == "done" and line["action"] == "contract") == "made and read back"
