"""The order of the set-up: environment, Python packages, UI; finished steps are skipped."""

import compileall
from collections.abc import Sequence
from pathlib import Path

from scripts.setup.console import Console
from scripts.setup.exclusive import exclusive
from scripts.setup.ui import Ui
from scripts.setup.venv import TOOLS, Venv

RUNTIME = "installers/locks/requirements.lock"
SERVER = "installers/locks/requirements-server.lock"
DEVELOPMENT = "installers/locks/requirements-dev.lock"
DOCS = "installers/locks/requirements-docs.lock"


def prepare(checkout: Path, console: Console, *, locks: Sequence[str]) -> Venv:
    """Prepare the checkout so that the program runs, with these lock files installed. Raises SetupFailed."""
    venv, ui = Venv(checkout), Ui(checkout)
    # As pip does on installation. The program's child processes write no bytecode, so they would compile their modules at each start.
    compileall.compile_dir(checkout / "agent", quiet=2)
    if all(venv.has(lock) for lock in locks) and ui.built():
        return venv
    with exclusive(checkout / "build" / "setup.lock", lambda: console.say("waiting")):
        console.log.unlink(missing_ok=True)
        venv.ensure(console)
        for lock in (TOOLS, *locks):
            venv.install(console, lock)
        ui.build(console, venv)
    return venv
