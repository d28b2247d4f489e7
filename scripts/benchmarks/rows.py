"""The output of a benchmark: figures beside their targets, and the machine they were measured on."""

import json
import math
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from agent import __version__

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("openvino", "PySide6", "playwright", "fastapi", "sqlcipher3")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `name` ends with its unit; `samples` are the values that `value` was computed from, in the order they were measured."""

    name: str
    value: float
    target: float
    samples: tuple[float, ...]
    at_least: bool = False  # whether more is better

    @property
    def ok(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def judged(self) -> bool:
        """Whether there is a target: `at least 0` and infinity are none."""
        return math.isfinite(self.target) and not (self.at_least and self.target == 0)

    def __str__(self) -> str:
        sense, word = ">=" if self.at_least else "<=", "ok" if self.ok else "MISSED"
        return f"{self.name:<24} {self.value:>10.4g}  {sense} {self.target:<6g} {word:<7} ({len(self.samples)} samples)"


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that is not below this share of all samples (0 to 1). Raises ValueError if there is none."""
    if not samples:
        raise ValueError("no samples")
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


def median(name: str, samples: Sequence[float], target: float) -> Row:
    return _row(name, percentile(samples, 0.5), samples, target)


def p95(name: str, samples: Sequence[float], target: float) -> Row:
    return _row(name, percentile(samples, 0.95), samples, target)


def worst(name: str, samples: Sequence[float], target: float) -> Row:
    return _row(name, percentile(samples, 1), samples, target)


def at_least(name: str, value: float, target: float, samples: Sequence[float]) -> Row:
    """Return a row for which more is better."""
    return Row(name, round(value, 4), target, tuple(round(each, 4) for each in samples), at_least=True)


def at_most(name: str, value: float, target: float, samples: Sequence[float]) -> Row:
    return Row(name, round(value, 4), target, tuple(round(each, 4) for each in samples))


def _row(name: str, value: float, samples: Sequence[float], target: float) -> Row:
    return Row(name, round(value, 2), target, tuple(round(each, 2) for each in samples))


def facts() -> dict[str, str]:
    """Return the machine, the time and the versions that affect the figures. No names: neither the machine's nor the user's."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores, {_processor()}, {psutil.virtual_memory().total / 2**30:.0f} GB, {_system()}",
        "load": " ".join(f"{load:.1f}" for load in psutil.getloadavg()),
        "versions": f"{__version__} ({_commit()}), Python {platform.python_version()}, {packages}",
    }


def as_json(rows: Sequence[Row], said: Mapping[str, str]) -> str:
    """Return one object: the facts, and under `rows` each row with `ok`."""
    return json.dumps({**said, "rows": [{**asdict(row), "ok": row.ok} for row in rows]}, indent=1)


def as_table(rows: Sequence[Row], said: Mapping[str, str]) -> str:
    """Return Markdown for docs/performance.md."""
    lines = [
        f"{said['machine']}; {said['versions']}; load {said['load']}; {said['date']}",
        "",
        "| row | value | to reach |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{row.name}` | {row.value:.4g}{'' if row.ok else ' (missed)'} | {'≥' if row.at_least else '≤'} {row.target:g} |" for row in rows
    ]
    return "\n".join(lines)


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.is_file() and (found := re.search(r"^model name\s*:\s*(.+)$", listed.read_text(encoding="utf-8"), re.MULTILINE)):
        return found[1]
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _commit() -> str:
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown commit"
    return done.stdout.strip()
