"""The composition of the server on one host: each profile is valid, and keeps its promises about ports, rights, limits and secrets."""

import ipaddress
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.infrastructure.core.config_check import validated
from agent.infrastructure.core.config_environment import from_environment

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "installers" / "server" / "compose"
PROFILES = {
    "dev": {"postgres", "migrate", "api", "worker", "caddy"},
    "staging": {"postgres", "migrate", "api", "worker", "caddy", "prometheus", "alertmanager", "grafana", "loki", "alloy"},
}
PROFILES["prod"] = PROFILES["staging"] | {"dump", "restic"}
# Programs that ask for a name or a place only, and words that say a value is a secret.
_SECRET = re.compile(r"password|secret|token|_key$|credential", re.IGNORECASE)
_HARMLESS = re.compile(r"_FILE$|__FILE$|WORKER_KEYS$|PRIVATE_KEY$")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tools of Debian")


def composed(profile: str, **environment: str) -> dict[str, Any]:
    words = ["--env-file", "images.env", "--env-file", f"environments/{profile}.env", "--profile", profile, "config", "--format", "json"]
    done = subprocess.run(
        ["docker-compose", *words],
        cwd=FOLDER,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "level=warning" not in done.stderr, done.stderr  # a variable that nothing sets
    described = json.loads(done.stdout)
    assert isinstance(described, dict)
    return described


@pytest.fixture(scope="module", params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def services(profile: str) -> dict[str, dict[str, Any]]:
    found = composed(profile)["services"]
    assert set(found) == PROFILES[profile]
    return dict(found)


def test_only_caddy_has_ports_on_the_host(services: Mapping[str, dict[str, Any]], profile: str) -> None:
    assert [name for name, each in services.items() if each.get("ports")] == ["caddy"]
    assert {each.get("network_mode") for each in services.values()} == {None}
    addresses = {port["host_ip"] for port in services["caddy"]["ports"]}
    assert addresses == {"127.0.0.1" if profile == "dev" else "0.0.0.0"}


def test_each_service_is_limited_and_powerless(services: Mapping[str, dict[str, Any]]) -> None:
    allowed = {"caddy": ["NET_BIND_SERVICE"], "restic": ["DAC_READ_SEARCH"]}
    for name, each in services.items():
        limits = each["deploy"]["resources"]["limits"]
        assert float(limits["cpus"]) > 0 and int(limits["memory"]) > 0 and int(limits["pids"]) > 0, name
        assert each["read_only"] is True, name
        assert each["cap_drop"] == ["ALL"] and each.get("cap_add", []) == allowed.get(name, []), name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert each.get("privileged", False) is False and "docker.sock" not in json.dumps(each["volumes"]), name
        assert each["restart"] == ("no" if name == "migrate" else "unless-stopped"), name


def test_no_secret_is_in_an_environment_or_a_command(services: Mapping[str, dict[str, Any]]) -> None:
    for name, each in services.items():
        for variable, value in (each.get("environment") or {}).items():
            if _SECRET.search(variable) and not _HARMLESS.search(variable) and variable != "AWS_SHARED_CREDENTIALS_FILE":
                pytest.fail(f"{name}: {variable} may be a secret")
            assert "://" not in str(value) or "@" not in str(value), f"{name}: {variable} may hold a password"
        assert "password" not in json.dumps([each.get("command"), each.get("entrypoint")]).lower()
    # Each sees what it needs only.
    seen = {name: {secret["source"] for secret in each.get("secrets", [])} for name, each in services.items()}
    assert (seen["worker"], seen["migrate"]) == ({"database_url", "metrics_token"}, {"database_url"})
    assert seen["caddy"] == {"internal_authority"}
    assert [name for name, secrets in seen.items() if "postgres_password" in secrets] in (["postgres"], ["dump", "postgres"])


def test_what_waits_waits_for_health(services: Mapping[str, dict[str, Any]]) -> None:
    gates = {name: {on: each["depends_on"][on]["condition"] for on in each.get("depends_on") or {}} for name, each in services.items()}
    assert gates["api"] == {"postgres": "service_healthy", "migrate": "service_completed_successfully"}
    assert gates["worker"] == gates["caddy"] == {"api": "service_healthy"}
    for name, waits in gates.items():
        for on, condition in waits.items():
            checked = not services[on].get("healthcheck", {}).get("disable")
            assert condition != "service_started" or not checked or (name, on) == ("restic", "dump")
            assert condition != "service_healthy" or checked, (name, on)


def test_the_database_and_the_metrics_are_on_inner_networks_only(profile: str) -> None:
    found = composed(profile)
    inner = {name for name, each in found["networks"].items() if each.get("internal")}
    assert {"inside", "data"} <= inner
    assert set(found["services"]["postgres"]["networks"]) == {"data"}
    assert {name for name, each in found["services"].items() if "inside" in each["networks"]} == {"api", "caddy"}
    # What Caddy says of visitors is believed, and Caddy alone can say it.
    [subnet] = found["networks"]["inside"]["ipam"]["config"]
    environment = found["services"]["api"]["environment"]
    assert json.loads(environment["AI_POPUP__SERVER__PROXIES"]) == [subnet["subnet"]]
    assert ipaddress.ip_network(subnet["subnet"]).is_private


def test_the_programs_settings_are_valid(services: Mapping[str, dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "database_url").write_text("postgresql://ai_popup:x@postgres/ai_popup")
    for name in ("api", "worker", "migrate"):
        given = {
            key: str(value).replace("/run/secrets/database_url", str(tmp_path / "database_url"))
            for key, value in services[name]["environment"].items()
        }
        settings = validated(from_environment(given))
        assert settings.server.database.endswith("@postgres/ai_popup")
        assert settings.logs.target == "stdout"
        assert settings.server.worker_keys == "/srv/worker-keys"
    mounted = {each["target"] for each in services["api"]["volumes"]}
    assert {"/var/lib/ai-popup", "/srv/worker-keys", "/srv/uploads", "/srv/photos"} == mounted


def test_one_number_scales_the_workers() -> None:
    assert composed("prod")["services"]["worker"]["deploy"]["replicas"] == 2
    assert composed("prod", WORKERS="7")["services"]["worker"]["deploy"]["replicas"] == 7


def test_what_is_mounted_from_the_checkout_is_there(services: Mapping[str, dict[str, Any]]) -> None:
    for name, each in services.items():
        for volume in each["volumes"]:
            source = Path(volume["source"])
            if volume["type"] == "bind" and source.is_relative_to(ROOT) and volume["target"] not in ("/srv/photos", "/repository"):
                assert source.exists(), f"{name}: {source.relative_to(ROOT)}"
                assert volume["read_only"] is True


def test_data_is_on_named_volumes(services: Mapping[str, dict[str, Any]], profile: str) -> None:
    named = set(composed(profile)["volumes"])
    for name, target in (("postgres", "/var/lib/postgresql/data"), ("api", "/var/lib/ai-popup"), ("caddy", "/data")):
        [volume] = [each for each in services[name]["volumes"] if each["target"] == target]
        assert volume["type"] == "volume" and volume["source"] in named


def test_every_image_is_in_one_file_and_may_be_pinned(tmp_path: Path) -> None:
    """`pin_images.sh` with a registry that gives each image a digest."""
    images = dict(line.split("=", 1) for line in (FOLDER / "images.env").read_text().splitlines() if "_IMAGE=" in line)
    used = {each["image"] for each in composed("prod")["services"].values()}
    assert used == set(images.values())
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "docker").write_text('#!/bin/sh\nfor last; do :; done\nprintf "sha256:%s" "$(printf %s "$last" | sha256sum | cut -c1-64)"\n')
    (tools / "docker").chmod(0o755)
    copy = Path(shutil.copy(FOLDER / "images.env", tmp_path))
    for _ in range(2):  # again changes nothing
        subprocess.run([FOLDER / "pin_images.sh", copy], env={"PATH": f"{tools}:{os.environ['PATH']}"}, check=True, timeout=60)
        pinned = dict(line.split("=", 1) for line in copy.read_text().splitlines() if "_IMAGE=" in line)
        assert pinned.keys() == images.keys()
        for name, image in pinned.items():
            assert name == "AI_POPUP_IMAGE" or re.fullmatch(re.escape(images[name]) + "@sha256:[0-9a-f]{64}", image)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets") / "prod"
    prepare(folder)
    return folder


def prepare(folder: Path) -> None:
    subprocess.run(
        [FOLDER / "prepare.sh", "prod"],
        env={"PATH": os.environ["PATH"], "SECRETS": str(folder)},
        check=True,
        capture_output=True,
        timeout=60,
    )


def test_the_secrets_are_made_once_and_kept(secrets: Path) -> None:
    wanted = {each["file"].rpartition("/")[2] for each in composed("prod")["secrets"].values()}
    first = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert set(first) == wanted
    assert secrets.stat().st_mode & 0o077 == 0  # others stay out, so the files may be read by every service's user
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o444}
    assert len(first["postgres_password"]) == 64 and first["postgres_password"] != first["database_password"]
    assert first["database_password"] in first["database_url"]
    (secrets / "metrics_token").unlink()
    prepare(secrets)
    second = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert {name for name in first if first[name] != second[name]} == {"metrics_token"}


def test_the_certificate_inside_is_one_that_caddy_trusts(secrets: Path) -> None:
    trusting = ssl.create_default_context(cafile=secrets / "internal_authority")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(secrets / "tls_certificate", secrets / "tls_key")
    ends = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(ends[0], ends[1], server_hostname="api")
    server = serving.wrap_bio(ends[1], ends[0], server_side=True)
    for _ in range(3):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.getpeercert()


@pytest.mark.parametrize("profile_", PROFILES)
def test_caddy_accepts_its_file(profile_: str, secrets: Path, tmp_path: Path) -> None:
    environment = {key: str(value) for key, value in composed(profile_)["services"]["caddy"]["environment"].items()}
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "AUTHORITY": str(secrets / "internal_authority")}
    done = subprocess.run(
        ["caddy", "validate", "--adapter=caddyfile", "--config", FOLDER / "Caddyfile"],
        env={**environment, **home},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.lower(), done.stderr


@pytest.mark.parametrize("page", ["compose.md", "compose.zh-CN.md"])
def test_the_guide_names_services_secrets_and_scripts_that_exist(page: str) -> None:
    guide = (ROOT / "docs" / "operate" / page).read_text(encoding="utf-8")
    commands = re.findall(r"ai-compose (?:exec|restart|stop|start|logs)(?: -T)? ([\w-]+)(?: sh /scripts/([\w.]+))?", guide)
    secrets = set(re.findall(r"secrets/prod/(\w+)", guide))
    services = {service for service, _ in commands}
    scripts = {script for _, script in commands} - {""}
    assert {"api", "dump", "restic", "postgres"} <= services <= PROFILES["prod"]
    assert "restic_password" in secrets and secrets <= set(composed("prod")["secrets"])
    assert scripts and all((FOLDER / "backup" / script).is_file() for script in scripts)
