"""One host with Compose: the image is a line in `images.env`; Caddy holds requests back while the server's container is replaced."""

import json
import re
from pathlib import Path

from scripts.deploying.backend import Check
from scripts.deploying.commands import Done, Runner, expect
from scripts.deploying.environment import ROOT, Environment
from scripts.deploying.failures import Failed
from scripts.deploying.files import remove, write
from scripts.deploying.images import pinned
from scripts.deploying.migrations import fitting, migrated, planned

_LINE = re.compile(r"^AI_POPUP_IMAGE=(.*)$", re.MULTILINE)
_FORMER = "former-image"


class ComposeBackend:
    """A version is an image with its digest."""

    def __init__(self, environment: Environment, runner: Runner, image: str, *, without_backup: bool = False) -> None:
        self._environment = environment
        self._compose = environment.compose
        self._runner = runner
        self._image = image
        self._without_backup = without_backup
        file = Path(self._compose.file)
        self._file = file if file.is_absolute() else ROOT / file
        self._images = self._file.parent / self._compose.images
        self._former = environment.state / _FORMER

    def current(self) -> str | None:
        """None at the first deployment: the line has no digest yet, or nothing runs."""
        said = _LINE.search(self._images.read_text(encoding="utf-8")) if self._images.is_file() else None
        return said[1] if said is not None and "@sha256:" in said[1] else None

    def former(self) -> str | None:
        return self._former.read_text(encoding="utf-8").strip() if self._former.is_file() else None

    def version(self) -> str:
        pinned(self._image)
        return self._image

    def preflight(self) -> list[Check]:
        done = self._run("config", "--quiet")
        engine = self._runner.run(["docker", "info", "--format", "{{.ServerVersion}}"])
        return [
            Check("Docker", engine.out.strip(), "" if engine.code == 0 else "Docker does not answer"),
            Check("Compose", "the configuration is whole", "" if done.code == 0 else done.errors.strip()),
        ]

    def build(self, version: str) -> str:
        expect(self._run("pull", "--quiet", self._compose.service, image=version), "pulling the image")
        return "pulled"

    def check(self, version: str) -> str:
        plan = json.loads(expect(self._once(version, "server", "migrate", "--plan", "--expand", "--json"), "asking for the migrations"))
        if not plan["online"] and self.current() is not None:
            raise Failed(
                f"the version that runs now does not work after the migrations to {plan['program']}: deploy the release between them"
            )
        return planned(plan)

    def fits(self, version: str) -> str:
        fitting(self._once(version, "server", "migrate", "--check"), version)
        return "it works on the database as it is"

    def backup(self, version: str) -> str:
        if self._without_backup or self.current() is None:
            return "left out, as told" if self._without_backup else "nothing to back up yet"
        expect(self._run("run", "--rm", "--no-deps", *self._compose.backup), "making a backup")
        return "made"

    def migrate(self, version: str) -> str:
        return migrated(json.loads(expect(self._once(version, "server", "migrate", "--expand", "--json"), "migrating the database")))

    def left(self, version: str) -> int:
        plan = expect(self._once(version, "server", "migrate", "--plan", "--expand", "--json"), "asking for the migrations")
        return int(json.loads(plan)["left"])

    def contract(self, version: str) -> str:
        return migrated(json.loads(expect(self._once(version, "server", "migrate", "--json"), "taking the contract steps")))

    def switch(self, version: str | None) -> str:
        if version is None:
            expect(self._run("stop", self._compose.service, self._compose.workers), "stopping the server")
            return "stopped"
        text = self._images.read_text(encoding="utf-8")
        if _LINE.search(text) is None:
            raise Failed(f"{self._images} has no line AI_POPUP_IMAGE")
        write(self._images, _LINE.sub(f"AI_POPUP_IMAGE={version}", text).encode())
        expect(self._run("up", "--detach", "--no-deps", "--wait", self._compose.service), "replacing the server")
        expect(self._run("up", "--detach", "--no-deps", self._compose.workers), "replacing the workers")
        return "replaced"

    def gate(self, version: str) -> str:
        """Bring up what else there is; then the server must be healthy, and say so itself."""
        seconds = str(round(self._environment.gate_s))
        expect(self._run("up", "--detach"), "starting the other services")
        service = ["--no-deps", "--wait", "--wait-timeout", seconds, self._compose.service]
        expect(self._run("up", "--detach", *service), "waiting until the server is healthy")
        expect(self._run("exec", "--no-TTY", self._compose.service, *self._compose.healthy), "asking whether it is ready")
        return "healthy"

    def retire(self, version: str, former: str | None) -> str:
        if former is not None and former != version:
            write(self._former, former.encode())
        elif former is None:
            remove(self._former)
        return "the former image is kept"

    def _once(self, version: str, *words: str) -> Done:
        return self._run("run", "--rm", "--no-TTY", self._compose.migrate, *words, image=version)  # with the database that it depends on

    def _run(self, *words: str, image: str = "") -> Done:
        variables = [
            word for each in (self._compose.images, self._compose.variables) for word in ("--env-file", str(self._file.parent / each))
        ]
        command = ["docker", "compose", "--file", str(self._file), *variables, "--profile", self._compose.profile, *words]
        return self._runner.run(command, environment={"AI_POPUP_IMAGE": image} if image else None)
