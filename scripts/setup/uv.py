"""Installs a lock file with uv, which takes a tenth of pip's time, from the places that pip is configured for."""

import ast
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts.setup.processes import answers, environment

# pip's options that say where packages come from -> what uv calls them, and what separates several values.
_OPTIONS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "proxy": ("ALL_PROXY", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
}
# Of pip's configuration, from what counts least.
_SECTIONS = ("global", "install", ":env:")
# Would choose another environment than the one that is filled.
_DROPPED = ("UV_PYTHON", "UV_SYSTEM_PYTHON")


def command(uv: Path, python: Path, lock: Path) -> list[str]:
    """The command that installs exactly what the lock file names into the environment of `python`."""
    words = ["pip", "install", "--python", str(python), "--require-hashes", "--no-deps", "--no-build-isolation", "--compile-bytecode"]
    return [str(uv), *words, "-r", str(lock)]


def settings(python: Path) -> dict[str, str]:
    """The environment for uv. What is set for uv itself counts more than what is set for pip."""
    configured = answers([str(python), "-m", "pip", "config", "list"]) or ""
    kept = {name: value for name, value in environment().items() if name not in _DROPPED}
    # Every file is checked by its hash, so that no index can pass for another; pip trusts the system's certificates, too.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_SYSTEM_CERTS": "1", **translated(configured, os.environ), **kept}


def translated(configured: str, present: Mapping[str, str]) -> dict[str, str]:
    """What `pip config list` prints, in uv's variables; those that are `present` are left out."""
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in configured.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        if section in found and option in _OPTIONS:
            variable, separator = _OPTIONS[option]
            found[section][variable] = separator.join(str(ast.literal_eval(value)).split())
    merged = {variable: value for section in _SECTIONS for variable, value in found[section].items()}
    return {variable: value for variable, value in merged.items() if variable not in present}


def folder() -> Path:
    """Where uv runs: in the checkout it would read pyproject.toml, whose constraints have no hashes."""
    return Path(tempfile.gettempdir())
