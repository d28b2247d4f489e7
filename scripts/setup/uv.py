"""Installs a lock file with uv, which takes a tenth of pip's time, from the sources configured for pip."""

import ast
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts.setup.processes import answers, environment

# pip's options for package sources -> uv's names, and the separator of several values.
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
# Sections of pip's configuration, lowest priority first.
_SECTIONS = ("global", "install", ":env:")
# Would select another environment than the intended one.
_DROPPED = ("UV_PYTHON", "UV_SYSTEM_PYTHON")


def command(uv: Path, python: Path, lock: Path) -> list[str]:
    """Return the command that installs exactly the lock file's packages into the environment of `python`."""
    words = ["pip", "install", "--python", str(python), "--require-hashes", "--no-deps", "--no-build-isolation", "--compile-bytecode"]
    return [str(uv), *words, "-r", str(lock)]


def settings(python: Path) -> dict[str, str]:
    """Return the environment for uv. Settings for uv itself override those for pip."""
    configured = answers([str(python), "-m", "pip", "config", "list"]) or ""
    kept = {name: value for name, value in environment().items() if name not in _DROPPED}
    # Every file is checked by its hash, so no index can impersonate another; pip trusts the system's certificates, too.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_SYSTEM_CERTS": "1", **translated(configured, os.environ), **kept}


def translated(configured: str, present: Mapping[str, str]) -> dict[str, str]:
    """Return the output of `pip config list` as uv's variables, without those that are `present`."""
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
    """Return the working directory for uv: in the checkout it would read pyproject.toml, whose constraints have no hashes."""
    return Path(tempfile.gettempdir())
