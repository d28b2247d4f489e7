"""What is asked of Docker, Helm and systemd. The programs are made up: their answers were written by hand, none of them ran here."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.deploying.commands import Done
from scripts.deploying.compose import ComposeBackend
from scripts.deploying.environment import NAMES, ROOT, Compose, Environment, Host, Kubernetes, load, parsed
from scripts.deploying.failures import Failed
from scripts.deploying.host import HostBackend
from scripts.deploying.kubernetes import KubernetesBackend
from scripts.deploying.main import main
from scripts.deploying.program import read_variables
from scripts.deploying.releases import Releases
from tests.scripts.deploying.scripted import Scripted

OLD, NEW = (f"registry.example.org/ai-popup@sha256:{letter * 64}" for letter in "ab")
PLAN = {"found": "0027", "program": "0028", "works_from": "0027", "online": True, "steps": [{"revision": "0028"}], "left": 0}
MIGRATED = PLAN | {"migrated": True}


# -- Compose ---------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def compose(tmp_path: Path) -> Callable[[Scripted, str], ComposeBackend]:
    (tmp_path / "images.env").write_text(f"# all\nAI_POPUP_IMAGE={OLD}\nCADDY_IMAGE=caddy:2\n")
    (tmp_path / "state").mkdir()
    settings = Compose(file=str(tmp_path / "compose.yaml"), state=str(tmp_path / "state"))
    return lambda runner, image: ComposeBackend(Environment("prod", "compose", compose=settings), runner, image)


def test_compose_migrates_with_the_new_image_and_replaces_the_server_alone(
    compose: Callable[[Scripted, str], ComposeBackend], tmp_path: Path
) -> None:
    runner = Scripted({"migrate --plan": json.dumps(PLAN), "migrate --expand": json.dumps(MIGRATED)})
    backend = compose(runner, NEW)
    assert (backend.current(), backend.version()) == (OLD, NEW)
    assert backend.check(NEW) == "schema 0027, steps: 1"
    backend.backup(NEW)
    assert backend.migrate(NEW) == "schema 0028"
    assert runner.asked[-1].endswith("--profile prod run --rm --no-TTY migrate server migrate --expand --json")
    assert runner.environments[-1] == {"AI_POPUP_IMAGE": NEW}
    backend.switch(NEW)
    assert [each.partition("--profile prod ")[2] for each in runner.asked[-2:]] == [
        "up --detach --no-deps --wait api",
        "up --detach --no-deps worker",
    ]
    assert (tmp_path / "images.env").read_text() == f"# all\nAI_POPUP_IMAGE={NEW}\nCADDY_IMAGE=caddy:2\n"
    backend.gate(NEW)
    assert runner.asked[-1].endswith("exec --no-TTY api ai-popup-healthy")
    backend.retire(NEW, OLD)
    assert (backend.current(), backend.former()) == (NEW, OLD)
    backend.switch(OLD)
    assert backend.current() == OLD


def test_the_services_and_files_that_are_named_exist() -> None:
    for name in NAMES:
        environment = load(name)
        file = ROOT / environment.compose.file
        services = set(re.findall(r"(?m)^  ([a-z-]+):$", file.read_text()))
        compose = environment.compose
        assert {compose.service, compose.workers, compose.migrate, compose.backup[0]} <= services
        assert all((file.parent / each).is_file() for each in (compose.images, compose.variables))
        assert "AI_POPUP_IMAGE=" in (file.parent / compose.images).read_text()
        assert (ROOT / "installers/server" / compose.healthy[0]).is_file()
        assert (ROOT / environment.kubernetes.chart / "Chart.yaml").is_file()
    assert "-api" in (ROOT / load("prod").kubernetes.chart / "templates/api.yaml").read_text()


def test_compose_refuses_what_is_no_digest_and_what_stops_the_running_version(compose: Callable[[Scripted, str], ComposeBackend]) -> None:
    with pytest.raises(Failed, match="digest"):
        compose(Scripted(), "ai-popup:latest").version()
    with pytest.raises(Failed, match="the release between"):
        compose(Scripted({"--plan": json.dumps(PLAN | {"online": False})}), NEW).check(NEW)
    with pytest.raises(Failed, match="unhealthy"):
        compose(Scripted({"up --detach": Done(1, errors="api is unhealthy")}), NEW).switch(NEW)


# -- Kubernetes ------------------------------------------------------------------------------------------------------------------
def helm(image: str) -> str:
    repository, _, digest = image.partition("@")
    return json.dumps({"image": {"repository": repository, "digest": digest}})


def kubernetes(runner: Scripted) -> KubernetesBackend:
    settings = Kubernetes(values=("/etc/ai-popup/helm/prod.yaml",))
    return KubernetesBackend(Environment("prod", "kubernetes", gate_s=90, kubernetes=settings), runner, NEW)


def test_helm_upgrades_atomically_by_digest() -> None:
    runner = Scripted({"get values": helm(OLD), "history": json.dumps([{"revision": 1, "status": "deployed"}])})
    backend = kubernetes(runner)
    assert (backend.current(), backend.former()) == (OLD, None)
    backend.switch(NEW)
    asked = runner.asked[-1]
    assert asked.startswith("helm upgrade ai-popup ") and asked.endswith("--atomic --wait --timeout 90s --namespace ai-popup")
    assert "--values /etc/ai-popup/helm/prod.yaml" in asked and f"image.digest=sha256:{'b' * 64}" in asked
    runner.answers["get values"] = helm(NEW)
    backend.gate(NEW)
    assert runner.asked[-1] == "kubectl --namespace ai-popup rollout status deployment/ai-popup-api --timeout=90s"


def test_helm_goes_back_to_the_revision_before() -> None:
    history = [{"revision": 4, "status": "superseded"}, {"revision": 5, "status": "failed"}, {"revision": 6, "status": "deployed"}]
    runner = Scripted({"get values": helm(NEW), "--revision 4": helm(OLD), "history": json.dumps(history)})
    runner.answers = {"--revision 4": helm(OLD), **runner.answers}
    backend = kubernetes(runner)
    assert backend.former() == OLD
    backend.switch(OLD)
    assert runner.asked[-1] == "helm rollback ai-popup 4 --wait --timeout 90s --namespace ai-popup"
    with pytest.raises(Failed, match="is deployed"):
        backend.gate(OLD)


def test_nothing_is_deployed_yet() -> None:
    runner = Scripted({"get values": Done(1, errors="not found"), "history": Done(1)})
    backend = kubernetes(runner)
    assert backend.current() is None and backend.former() is None
    assert backend.backup(NEW) == "nothing to back up yet"


# -- a host ----------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def source(tmp_path: Path) -> Path:
    """As much of a checkout as a release takes."""
    folder = tmp_path / "source"
    for name in ("agent", "assets/config", "assets/icons", "assets/locales", "assets/models", "ui/dist", "scripts/deploying"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file.txt").write_text(name)
    (folder / "agent/__init__.py").write_text('__version__ = "1.2.3"\n')
    (folder / "scripts/deploy.sh").write_text("#!/bin/sh\n")
    (folder / "installers/locks").mkdir(parents=True)
    (folder / "installers/locks/requirements-server.lock").write_text("")
    (folder / "installers/server/systemd").mkdir(parents=True)
    (folder / "installers/server/environments").mkdir()
    (folder / "installers/server/systemd/ai-popup.service").write_text("[Service]\n")
    (folder / "installers/server/systemd/server.env").write_text("")
    return folder


def host_of(tmp_path: Path, source: Path, runner: Scripted, user: str = "") -> HostBackend:
    (tmp_path / "units").mkdir(exist_ok=True)
    (tmp_path / "server.env").write_text("AI_POPUP__SERVER__NAME='Photos'\n")
    place = {
        "root": tmp_path / "opt",
        "home": tmp_path / "home",
        "state": tmp_path / "state",
        "units": tmp_path / "units",
        "venv": sys.prefix,
        "user": user,
        "command": tmp_path / "ai-popup",
    }
    host = Host(**{name: str(path) for name, path in place.items()}, workers=2, environment_files=(str(tmp_path / "server.env"),))  # type: ignore[arg-type]
    environment = Environment("prod", keep_releases=2, least_free_gb=0, host=host, settings={"server": {"workers": 0, "names": ["a.test"]}})
    return HostBackend(environment, runner, Releases(environment, runner, source))


def test_a_release_holds_all_that_it_runs_and_is_named_by_its_content(tmp_path: Path, source: Path) -> None:
    runner = Scripted({"migrate --plan": json.dumps(PLAN), "migrate --expand": json.dumps(MIGRATED)})
    backend = host_of(tmp_path, source, runner)
    version = backend.version()
    assert version.startswith("1.2.3-") and host_of(tmp_path, source, runner).version() == version
    assert backend.build(version) == "built" and backend.build(version) == "is there"
    folder = tmp_path / "opt/releases" / version
    assert runner.asked == [f"{sys.prefix}/bin/python -m compileall -q {folder.with_name(f'.{version}.new')}/program"]
    assert (folder / "program/agent/_data/ui/file.txt").read_text() == "ui/dist"
    assert (folder / "environment.env").read_text() == "AI_POPUP__SERVER__WORKERS='0'\nAI_POPUP__SERVER__NAMES='[\"a.test\"]'\n"
    assert (folder / "bin/ai-popup").stat().st_mode & 0o111
    backend.check(version)
    assert runner.environments[-1] == {
        "AI_POPUP_HOME": str(tmp_path / "home"),
        "AI_POPUP__SERVER__WORKERS": "0",
        "AI_POPUP__SERVER__NAMES": '["a.test"]',
        "AI_POPUP__SERVER__NAME": "Photos",
    }
    backend.migrate(version)
    (source / "agent/file.txt").write_text("changed")
    assert host_of(tmp_path, source, runner).version() != version


@pytest.mark.skipif(sys.platform == "win32", reason="a host has systemd")
def test_the_first_deployment_makes_the_home_before_the_program_is_asked_as_its_user(tmp_path: Path, source: Path) -> None:
    from pwd import getpwuid

    own, runner = getpwuid(os.getuid()).pw_name, Scripted({"migrate --plan": json.dumps(PLAN)})
    backend = host_of(tmp_path, source, runner, own)
    backend.build(backend.version())
    home = tmp_path / "home"
    assert (home.stat().st_mode & 0o777, home.owner()) == (0o700, own)
    backend.build(backend.version())
    home.rmdir()
    with pytest.raises(Failed, match="no user and group nobody-of-this-name"):
        host_of(tmp_path, source, runner, "nobody-of-this-name").build("1")
    assert not home.exists()


def test_the_switch_installs_units_and_restarts_what_runs(tmp_path: Path, source: Path) -> None:
    runner = Scripted()
    backend = host_of(tmp_path, source, runner)
    version = backend.version()
    backend.build(version)
    runner.asked.clear()
    backend.switch(version)
    assert backend.current() == version and sorted(each.name for each in (tmp_path / "units").iterdir()) == ["ai-popup.service"]
    workers = [f"systemctl {verb} ai-popup-worker@{number}.service" for number in (1, 2) for verb in ("enable", "restart")]
    assert runner.asked == [
        "systemctl daemon-reload",
        "systemctl enable --now ai-popup.socket",
        "systemctl enable ai-popup.service ai-popup-deploy-resume.service",
        "systemctl restart ai-popup.service",
        *workers,
    ]
    backend.switch(version)
    assert runner.asked.count("systemctl daemon-reload") == 1, "they did not change"
    backend.switch(None)
    assert backend.current() is None and runner.asked[-1].startswith("systemctl stop ai-popup.service")


@pytest.mark.skipif(sys.platform == "win32", reason="a host has systemd")
def test_administrators_have_a_command_with_the_settings_of_the_units(tmp_path: Path, source: Path) -> None:
    backend = host_of(tmp_path, source, Scripted())
    version = backend.version()
    backend.build(version)
    backend.switch(version)
    program = tmp_path / "opt/releases" / version / "bin/ai-popup"
    program.write_text('#!/bin/sh\nenv; echo "said=$*"\n')
    (tmp_path / "server.env").write_text('# of this host\nAI_POPUP__SERVER__NAME=Photos of us\n\nAI_POPUP__SERVER__NAMES=["b.test"]')
    done = subprocess.run([tmp_path / "ai-popup", "backup", "now"], capture_output=True, text=True, check=True)
    assert {
        f"AI_POPUP_HOME={tmp_path}/home",
        "AI_POPUP__SERVER__WORKERS=0",
        "AI_POPUP__SERVER__NAME=Photos of us",
        'AI_POPUP__SERVER__NAMES=["b.test"]',
        "said=backup now",
    } <= set(done.stdout.splitlines())


def test_a_command_of_another_program_is_left_alone(tmp_path: Path, source: Path) -> None:
    (tmp_path / "ai-popup").write_text("another")
    backend = host_of(tmp_path, source, Scripted())
    backend.build(backend.version())
    backend.switch(backend.version())
    assert (tmp_path / "ai-popup").read_text() == "another"


def test_a_changed_number_of_workers_is_another_release(tmp_path: Path, source: Path) -> None:
    def version(workers: int) -> str:
        environment = Environment("prod", host=Host(workers=workers))
        return Releases(environment, Scripted(), source).version()

    assert version(2) != version(3)


def test_a_release_that_could_not_be_made_takes_no_room(tmp_path: Path, source: Path) -> None:
    backend = host_of(tmp_path, source, Scripted({"compileall": Done(1, "", "No space left on device")}))
    killed = tmp_path / "opt/releases/.1.0-a.new"
    killed.mkdir(parents=True)
    with pytest.raises(Failed, match="No space left"):
        backend.build(backend.version())
    assert list((tmp_path / "opt/releases").iterdir()) == []


def test_old_releases_go_but_never_the_two_in_use(tmp_path: Path, source: Path) -> None:
    versions = []
    for number in range(5):
        (source / "agent/__init__.py").write_text(f'__version__ = "{number}"\n')
        backend = host_of(tmp_path, source, Scripted())
        versions.append(backend.version())
        backend.build(versions[-1])
    backend = host_of(tmp_path, source, Scripted())
    backend.switch(versions[0])
    backend.retire(versions[0], versions[1])
    assert {each.name for each in (tmp_path / "opt/releases").iterdir()} == {*versions[:2], *versions[3:]}
    assert backend.former() == versions[1]


def test_a_version_that_would_stop_the_running_one_is_refused(tmp_path: Path, source: Path) -> None:
    runner = Scripted({"--plan": json.dumps(PLAN | {"online": False})})
    backend = host_of(tmp_path, source, runner)
    version = backend.version()
    backend.build(version)
    assert backend.check(version), "the first one stops nothing"
    backend.switch(version)
    with pytest.raises(Failed, match="deploy the release between"):
        backend.check(version)


def test_models_that_cant_be_fetched_are_named_before_anything_changes(tmp_path: Path, source: Path) -> None:
    answers: dict[str, str | Done] = {"migrate --plan": json.dumps(PLAN), "models fetch": Done(1, errors="none of 2 sources answered")}
    backend = host_of(tmp_path, source, Scripted(answers))
    version = backend.version()
    backend.build(version)
    with pytest.raises(Failed, match=rf"none of 2 sources answered(?s:.*){version}/bin/by-hand models add FILE"):
        backend.check(version)


def test_a_gate_names_what_is_in_the_way(tmp_path: Path, source: Path) -> None:
    backend = host_of(tmp_path, source, Scripted({"is-failed": Done(0)}))
    with pytest.raises(Failed, match="the server ended"):
        backend.gate("1")


def test_examples_must_be_replaced_before_anything_is_done(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_POPUP_ENVIRONMENTS", str(tmp_path / "own"))
    runner = Scripted({"id --user": Done(1)})
    backend = host_of(tmp_path, source, runner)
    assert {each.name: each.fault for each in backend.preflight()}["names"] == ""
    environment = Environment("prod", host=Host(root=str(tmp_path)), settings={"server": {"names": ["photos.example.org"]}})
    faults = {each.name: each.fault for each in HostBackend(environment, runner, Releases(environment, runner, source)).preflight()}
    own = tmp_path / "own" / "prod.toml"
    asked = f"install -D -m 644 installers/server/environments/prod.toml {own}, then replace example.org there: AI_POPUP__SERVER__NAMES"
    assert faults["names"] == asked and "server.env" in faults["settings"]
    assert faults["user"].startswith("there is no user ai-popup: useradd ")
    own.parent.mkdir()
    own.touch()
    checks = HostBackend(environment, runner, Releases(environment, runner, source)).preflight()
    assert f"replace example.org in {own}: AI_POPUP__SERVER__NAMES" in {each.fault for each in checks}
    assert list(tmp_path.glob("opt")) == []


def test_an_environment_file_is_read_as_systemd_does() -> None:
    assert read_variables('# A=1\nB=two words\n C=\'{"d": 1}\'\n;E=1\nF="g"\nH\n') == {"B": "two words", "C": '{"d": 1}', "F": "g"}


def test_what_an_environment_says_wrong_is_named(tmp_path: Path) -> None:
    for text in ("[deploy]\nbackend = 'cloud'", "[deploy]\nkeep = 2", "[other]", "[deploy.host]\nroot_folder = '/'"):
        with pytest.raises(ValueError, match=r"unknown|none of"):
            parsed("prod", text.encode())
    for text in (
        "[deploy]\ngate_s = 'x'",
        "[deploy.host]\nworkers = 'two'",
        "[deploy.host]\nport = true",
        "[deploy.compose]\nbackup = 'dump'",
    ):
        with pytest.raises(ValueError, match=r"(gate_s|workers|port|backup) must be a (whole )?(number|list)"):
            parsed("prod", text.encode())
    assert parsed("prod", b"[deploy]\ngate_s = 90").gate_s == 90
    with pytest.raises(Failed, match="no environment"):
        load("live", folder=tmp_path)
    with pytest.raises(Failed, match="missing"):
        load("prod", folder=tmp_path)


def test_the_command_needs_an_environment(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2 and "name an environment" in capsys.readouterr().err


def test_who_interrupts_a_deployment_is_told_how_it_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scripts.deploying.main.load", interrupted)
    assert main(["prod"]) == 130
    assert "--resume" in capsys.readouterr().err
