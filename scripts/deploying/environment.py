"""The description of an environment: `installers/server/environments/NAME.toml`, or the host's own in /etc/ai-popup/environments."""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from scripts.deploying.failures import Failed

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("dev", "staging", "prod")
OWN = Path("/etc/ai-popup/environments")
SHIPPED = "installers/server/environments"
BACKENDS = ("host", "compose", "kubernetes")

T = TypeVar("T")
_WORDS: Mapping[type, str] = {int: "a whole number", float: "a number", str: "a text in quotes", tuple: "a list of texts"}


@dataclass(frozen=True)
class Host:
    root: str = "/opt/ai-popup"
    home: str = "/var/lib/ai-popup"
    state: str = "/var/lib/ai-popup-deploy"
    units: str = "/etc/systemd/system"
    user: str = "ai-popup"
    environment_files: tuple[str, ...] = ("/etc/ai-popup/server.env",)
    command: str = "/usr/local/bin/ai-popup"
    """the command for administrators; empty makes none"""
    workers: int = 1
    """units `ai-popup-worker@1.service` and so on"""
    venv: str = ""
    """a virtual environment that the host's administrator keeps; empty builds one for each release"""
    address: str = "127.0.0.1"
    """where the gate reaches the server and its operations port"""
    port: int = 8443
    operations_port: int = 9464


@dataclass(frozen=True)
class Compose:
    file: str = "installers/server/compose/compose.yaml"
    profile: str = "prod"
    images: str = "images.env"
    """the file with the line AI_POPUP_IMAGE, beside the Compose file"""
    variables: str = "environments/prod.env"
    service: str = "api"
    workers: str = "worker"
    migrate: str = "migrate"
    backup: tuple[str, ...] = ("dump", "once")
    """the service, and its words, that makes one backup"""
    healthy: tuple[str, ...] = ("ai-popup-healthy",)
    state: str = "/var/lib/ai-popup-deploy"


@dataclass(frozen=True)
class Kubernetes:
    chart: str = "installers/server/helm/ai-popup"
    release: str = "ai-popup"
    namespace: str = "ai-popup"
    values: tuple[str, ...] = ()
    state: str = "/var/lib/ai-popup-deploy"


@dataclass(frozen=True)
class Environment:
    name: str
    backend: str = "host"
    keep_releases: int = 3
    least_free_gb: float = 10.0
    gate_s: float = 120.0
    certificate_days: int = 14
    """a given certificate must be valid for so long"""
    backup_hours: int = 48
    """the newest backup must not be older"""
    host: Host = field(default_factory=Host)
    compose: Compose = field(default_factory=Compose)
    kubernetes: Kubernetes = field(default_factory=Kubernetes)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """settings of the program, by section"""

    def variables(self) -> dict[str, str]:
        """Return the settings as the program reads them from its environment."""
        return {
            f"AI_POPUP__{section}__{name}".upper(): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for section, values in self.settings.items()
            for name, value in values.items()
        }

    @property
    def state(self) -> Path:
        return Path({"host": self.host.state, "compose": self.compose.state, "kubernetes": self.kubernetes.state}[self.backend])


def own_folder() -> Path:
    """Return where this computer's own descriptions are."""
    return Path(os.environ.get("AI_POPUP_ENVIRONMENTS") or OWN)


def load(name: str, backend: str = "", folder: Path | None = None) -> Environment:
    """Raises Failed if there is none of that name, or it says something unknown."""
    if name not in NAMES:
        raise Failed(f"{name!r} is no environment: {', '.join(NAMES)}")
    folders = [own_folder()] if os.environ.get("AI_POPUP_ENVIRONMENTS") else [OWN, ROOT / SHIPPED]
    path = next((found for each in ([folder] if folder else folders) if (found := each / f"{name}.toml").is_file()), None)
    if path is None:
        raise Failed(f"{name}.toml is missing")
    try:
        return parsed(name, path.read_bytes(), backend)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise Failed(f"{path}: {error}") from error


def parsed(name: str, content: bytes, backend: str = "") -> Environment:
    """Raises ValueError, TypeError, tomllib.TOMLDecodeError."""
    raw = tomllib.loads(content.decode("utf-8"))
    if unknown := raw.keys() - {"deploy", "settings"}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    deploy = dict(raw.get("deploy", {}))
    if backend:
        deploy["backend"] = backend
    parts = {
        "host": _filled(Host, deploy.pop("host", {})),
        "compose": _filled(Compose, deploy.pop("compose", {})),
        "kubernetes": _filled(Kubernetes, deploy.pop("kubernetes", {})),
    }
    found = _filled(Environment, {**deploy, **parts, "name": name, "settings": raw.get("settings", {})})
    if found.backend not in BACKENDS:
        raise ValueError(f"backend {found.backend!r} is none of {', '.join(BACKENDS)}")
    return found


def _filled(kind: type[T], said: dict[str, Any]) -> T:
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses
    if unknown := said.keys() - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    for each in fields(kind):  # type: ignore[arg-type]
        if each.name in said and type(each.default) in _WORDS and not _fits(said[each.name], each.default):
            raise ValueError(f"{each.name} must be {_WORDS[type(each.default)]}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in said.items()})


def _fits(value: object, default: object) -> bool:
    """Whether a value is of its default's kind: a wrong one would be noticed in the middle of a deployment."""
    if isinstance(default, tuple):
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    allowed = (int, float) if isinstance(default, float) else (type(default),)
    return isinstance(value, allowed) and not isinstance(value, bool)
