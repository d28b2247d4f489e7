"""The information that support needs, as a zip without paths, names or pictures."""

import io
import json
import platform
import zipfile
from collections.abc import Sequence
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from agent.app.health import Finding, ModelFacts
from agent.features.library.records import Counts
from agent.infrastructure.core.settings import Settings

PARTS = ("openvino", "opencv-python", "opencv-python-headless", "pillow", "PySide6", "pywebview", "sqlcipher3", "watchdog")
MOST_LOG = 5 * 1024 * 1024  # bytes of each log file, from its end


def support_bundle(
    program: str, settings: Settings, findings: Sequence[Finding], counts: Counts | None, models: Sequence[ModelFacts], logs: Path
) -> bytes:
    """`program` is its version, `logs` the folder of the log files, which never contain private data."""
    about = {
        "program": program,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "parts": {name: found for name in PARTS if (found := _version(name))},
        "models": [{"name": model.name, "state": model.state, "sha256": model.sha256} for model in models],
    }
    doctor = [{"name": finding.name, "state": finding.state, "code": finding.error.code if finding.error else None} for finding in findings]
    library = None if counts is None else {"images": counts.images, "faces": counts.faces, "people": counts.people, "jobs": counts.jobs}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in (("about", about), ("doctor", doctor), ("library", library), ("settings", without_places(settings))):
            bundle.writestr(f"{name}.json", json.dumps(content, indent=2))
        for log in sorted(logs.glob("*.log*")):
            bundle.writestr(f"logs/{log.name}", _end(log))
    return written.getvalue()


# Texts that can only be one of a few words, keys or times. All others are the user's own: paths, addresses, names, keys.
_TOLD: Final = frozenset(
    {"engine.device", "capture.hotkey", "popup.quiet_from", "popup.quiet_until", "incidents.work_from", "incidents.work_until"}
    | {"backup.at", "oidc.default_role", "logs.level"}
)


def without_places(settings: Settings) -> dict[str, object]:
    """The settings without free text: of folders only how many and their switches, of lists only how long they are."""
    sections = settings.model_dump(exclude={"folders"})
    told: dict[str, object] = {
        section: {
            name: len(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if not isinstance(value, str) or isinstance(value, Enum) or f"{section}.{name}" in _TOLD
        }
        for section, values in sections.items()
    }
    told["folders"] = [
        {name: value for name, value in folder.model_dump(mode="json").items() if isinstance(value, bool)} for folder in settings.folders
    ]
    return told


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _end(log: Path) -> bytes:
    """The last complete lines."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - MOST_LOG))
            text = file.read()
    except OSError:
        return b""
    return text if size <= MOST_LOG else text.partition(b"\n")[2]
