"""Runs every check, even after a failure, and ends with one summary: `scripts/check [--static | --no-tests | --setup]`.

`--static` skips the checks that scripts/test.py runs too (tests, UI). `--no-tests` skips the Python tests alone. `--setup` only installs
what the checks and the tests need.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LIMIT_S = 1800  # in CI the tests run beside them
# What a failure is about: told below the tool's own output, which names file and line.
_RULES = {
    "ruff check": "style and defects; the rules are in pyproject.toml [tool.ruff]",
    "ruff format": "one format for all: run `.venv/bin/ruff format`",
    "mypy": "full types (CONTRIBUTING.md, Types everywhere)",
    "import-linter": "imports go down the lists of wings and rooms (docs/architecture.md): cut it, or hand the thing in from app/",
    "settings profiles": "assets/config/*.toml hold valid settings (agent/infrastructure/core/settings.py)",
    "reference pages": "docs/reference/ comes from the code: run `.venv/bin/python scripts/docs_reference.py`",
    "dashboards": "installers/server/monitoring/dashboards/ comes from scripts/dashboards.py: run it",
    "licences": "each package's licence is on the list of scripts/licences.toml, and NOTICE names it",
    "API description": "ui/src/api/openapi.json comes from the routes: `.venv/bin/python scripts/openapi.py && npm --prefix ui run types`",
    "security assessment": "docs/operate/asvs.toml answers each requirement once, with evidence that exists (scripts/asvs.py)",
    "documentation": "pages in docs/ link to pages that exist (mkdocs.yml)",
    "workflows' grammar": ".github/workflows/, as actionlint reads them",
    "workflows' safety": ".github/workflows/ with least privilege, as zizmor reads them",
    "Dockerfile": "installers/server/Dockerfile, as hadolint reads it; what is ignored has its reason beside it",
    "shell scripts": "all of them, as shellcheck reads them",
    "unit tests: stores, API, commands": "tests/unit mirrors the wings and rooms; a failing test's name says the behaviour",
    "unit tests: the rest": "tests/unit mirrors the wings and rooms; a failing test's name says the behaviour",
    "agent and scripts": "the whole agent in one process, the scripts, and what the documentation says",
    "UI": "types, format, lint and unit tests of ui/src: `npm --prefix ui run check`",
}
_SHELL = re.compile(rb"#!\S*(/|env )(ba|da)?sh\b")
# Each process imports everything for itself, so more than a few only take memory.
_SPREAD = ["-q", "-n", str(min(os.cpu_count() or 1, 4)), "--dist", "worksteal"]


def main() -> int:
    """Returns 1 if any check failed."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        print("The checks need Python 3.11 or newer. / 检查需要 Python 3.11 或更新的版本。", file=sys.stderr)
        return 2
    given = sys.argv[1:]
    sys.path.insert(0, str(ROOT))
    from scripts.setup.console import Console
    from scripts.setup.prepare import DEVELOPMENT, DOCS, RUNTIME, prepare
    from scripts.setup.processes import environment
    from scripts.setup.suite import quick
    from scripts.setup.ui import Ui, node

    console = Console(ROOT / "build" / "setup.log")
    with console.failures_shown():
        venv = prepare(ROOT, console, locks=[RUNTIME, DEVELOPMENT, DOCS])
        if given == ["--setup"]:
            return 0
        python, shellcheck = str(venv.python), str(venv.bin / "shellcheck")
        checks: dict[str, Sequence[str]] = {
            # The longest first: the others run beside it.
            "mypy": [python, "-m", "mypy"],
            "ruff check": [python, "-m", "ruff", "check"],
            "ruff format": [python, "-m", "ruff", "format", "--check"],
            "import-linter": [str(venv.bin / "lint-imports")],
            "settings profiles": [python, "scripts/validate_configs.py"],
            "reference pages": [python, "scripts/docs_reference.py", "--check"],
            "dashboards": [python, "scripts/dashboards.py", "--check"],
            "licences": [python, "scripts/licences.py", "--check"],
            "API description": [python, "scripts/openapi.py", "--check"],
            "security assessment": [python, "scripts/asvs.py", "--check"],
            "documentation": [python, "-m", "mkdocs", "build", "--strict", "--quiet"],
            # Also their shell code.
            "workflows' grammar": [
                str(venv.bin / "actionlint"),
                "-pyflakes=",
                f"-shellcheck={venv.bin / 'shellcheck'}",
                *map(str, _workflows()),
            ],
            "workflows' safety": [str(venv.bin / "zizmor"), "--offline", "--no-progress", "--quiet", ".github"],
            "shell scripts": [shellcheck, *map(str, _shell_scripts())],
        }
        if sys.platform != "win32":
            checks["Dockerfile"] = [str(venv.bin / "hadolint"), "installers/server/Dockerfile"]
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 2)) as both:
            runs = {name: both.submit(_run, name, command, ROOT, environment()) for name, command in checks.items()}
        results = {name: run.result() for name, run in runs.items()}
        if not {"--static", "--no-tests"} & {*given}:
            results |= _unit_tests(python, {**environment(), **quick()})
            others = ["tests/in_process", "tests/scripts", "tests/docs"]
            results["agent and scripts"] = _run("agent and scripts", [python, "-m", "pytest", *_SPREAD, *others], ROOT, environment())
        if "--static" not in given:
            npm, env = node(console, venv)
            Ui(ROOT).install(console, npm, env)
            results["UI"] = _run("UI", [npm, "run", "check"], ROOT / "ui", env)
        print("\n" + "\n".join(f"{'ok    ' if passed else 'FAILED'}  {name}" for name, passed in results.items()), flush=True)
        return 0 if all(results.values()) else 1
    return 1


def _workflows() -> list[Path]:
    return sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def _shell_scripts() -> Iterator[Path]:
    for folder in (".ci", "installers", "scripts", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and _SHELL.match(path.read_bytes()[:100]):
                yield path.relative_to(ROOT)


def _unit_tests(python: str, env: dict[str, str]) -> dict[str, bool]:
    """Run both halves at once: each process imports and collects only its own, and loads only the plugins it needs."""
    unit = ROOT / "tests" / "unit"
    # These load neither NumPy nor OpenCV; the rest load neither SQLAlchemy nor FastAPI.
    heavy = ("app", "features/library", "features/people", "features/redaction", "infrastructure/store", "interfaces")
    stores = [unit / place for place in heavy]
    rooms = [room for wing in unit.iterdir() for room in ([wing] if wing in stores or wing.is_file() else wing.iterdir())]
    rest = sorted(path for path in rooms if path not in stores and (path.is_dir() or path.match("test_*.py")))
    plugins = ("pytest_asyncio.plugin", "pytest_timeout", "no:cacheprovider")
    pytest = [python, "-m", "pytest", "-q", "--disable-plugin-autoload", *(word for name in plugins for word in ("-p", name))]
    halves = {"unit tests: stores, API, commands": stores, "unit tests: the rest": [path for path in rest if path.name != "__pycache__"]}
    with ThreadPoolExecutor() as both:
        runs = {name: both.submit(_run, name, [*pytest, *map(str, paths)], ROOT, env) for name, paths in halves.items()}
    return {name: run.result() for name, run in runs.items()}


def _run(name: str, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> bool:
    """Run one check; show its output only if it fails."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LIMIT_S,
            check=False,
        )
        passed, output = done.returncode == 0, done.stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        passed, output = False, str(error).encode()
    if not passed:
        sys.stdout.buffer.write(output + b"\n")
        print(f"rule: {_RULES[name]}")
    print(f"{'ok' if passed else 'FAILED'}: {name} ({time.monotonic() - started:.0f} s)", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main())
