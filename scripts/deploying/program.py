"""Runs the program of a release, with the settings that its unit has."""

from pathlib import Path

from scripts.deploying.commands import Done, Runner
from scripts.deploying.environment import Environment
from scripts.deploying.releases import Releases


class Program:
    def __init__(self, environment: Environment, runner: Runner, releases: Releases) -> None:
        self._environment = environment
        self._host = environment.host
        self._runner = runner
        self._releases = releases

    def run(self, version: str, *words: str) -> Done:
        """Raises Failed if it can't start."""
        return self.command(version, str(self._releases.folder(version) / "bin/ai-popup"), *words)

    def command(self, version: str | None, *words: str) -> Done:
        """Run another program as the server's user, with the same settings. Raises Failed if it can't start."""
        return self._runner.run(words, environment=self.variables(version), user=self._host.user)

    def variables(self, version: str | None) -> dict[str, str]:
        """Return the environment of the unit: the release's settings, or those of a release to come, then the host's."""
        found = self._environment.variables() if version is None else {}
        files = [
            *([] if version is None else [self._releases.folder(version) / "environment.env"]),
            *map(Path, self._host.environment_files),
        ]
        for path in files:
            if path.is_file():
                found |= read_variables(path.read_text(encoding="utf-8"))
        return {"AI_POPUP_HOME": self._host.home, **found}


def read_variables(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            value = value.strip()
            found[name.strip()] = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
    return found
