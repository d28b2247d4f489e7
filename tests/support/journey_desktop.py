"""A desktop agent that joins a team's server, as its user has it."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
from sqlalchemy import select

from agent.app.library_home import home_of_key
from agent.desktop.team_client.queries import TeamQueries
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.schema import metadata
from tests.support.real_program import CHECKOUT, WAIT_S, RealProgram
from tests.support.real_server import RealServer

RECOGNISES = {"AI_POPUP__RECOGNITION__ENABLED": "true", "AI_POPUP__ENGINE__WORKERS": "1"}
PASSWORD = "correct horse battery"


class Desk:
    """A desktop agent that runs until its block ends; `photo` is the only one in its folder."""

    def __init__(self, root: Path, models: Path, photo: Path | None = None, environment: Mapping[str, str] = RECOGNISES) -> None:
        root.mkdir()
        self.program = RealProgram(root, models, environment)
        if photo is not None:
            shutil.copyfile(photo, self.program.watched / "at a desk.jpg")
        self.program.start(wait=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.quit()

    def team(self) -> dict[str, Any]:
        with self.program.api() as api:
            found: dict[str, Any] = api.get("/team").json()
            return found

    def people(self) -> dict[str, int]:
        with self.program.api() as api:
            return {each["name"]: each["id"] for each in api.get("/people").json()}

    def until(self, names: set[str]) -> None:
        """Wait until they are the people known here."""
        until = time.monotonic() + WAIT_S
        while set(self.people()) != names:
            assert time.monotonic() < until, (self.people(), names)
            time.sleep(0.02)

    def rename(self, before: str, after: str) -> None:
        with self.program.api() as api:
            wanted = {"kind": "describe", "person_id": self.people()[before], "name": after}
            answer = api.post("/people/edits", json=wanted)
            assert answer.status_code == 200, answer.text

    def face(self) -> tuple[int, str]:
        """The only face of the only photo, and the name that was given to it."""
        with self.program.api() as api:
            [image] = api.get("/images").json()["items"]
        [found] = image["faces"]
        return found["id"], found["person"] or "" if found["certainty"] == "confirmed" else ""

    def name(self, name: str) -> None:
        """Name that face, as it is done on a photo."""
        with self.program.api() as api:
            answer = api.post("/people/edits", json={"kind": "name", "face_ids": [self.face()[0]], "name": name})
            assert answer.status_code == 200, answer.text

    def find(self, server: RealServer) -> dict[str, Any]:
        """The server as it announces itself in the local network."""
        until = time.monotonic() + WAIT_S
        while True:
            said = self.program.run("team", "find", "--json")
            assert said.returncode == 0, said.stderr
            for found in map(json.loads, said.stdout.splitlines()):
                if found["name"] == server.reached["name"]:
                    return dict(found)
            assert time.monotonic() < until, said.stdout

    def join(self, server: RealServer, confirm: Callable[[str], None], address: str = "") -> None:
        """As a user does it at a terminal; `confirm` is given the code that a member confirms in the browser."""
        command = [sys.executable, "-m", "agent", "team", "join", address or server.address]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=self.program.environment, cwd=CHECKOUT, stdout=pipe, stderr=pipe, text=True) as joining:
            assert joining.stderr is not None
            shown = ""
            while server.reached["fingerprint"] not in shown:
                line = joining.stderr.readline()
                assert line, shown
                shown += line
            [code] = re.findall(r"#join/([A-Z]{4}-[A-Z]{4})", shown)
            confirm(code)
            assert joining.wait(WAIT_S) == 0
        assert self.team()["state"] == "joined"

    def left_behind(self, *words: str) -> list[str]:
        """Those of the words that are in any table of the library."""
        paths = self.program.paths
        database = open_library(paths.library, home_of_key(self.program.file.load(), paths))
        try:
            with database.read() as tx:
                rows = "\n".join(repr(row) for table in metadata.sorted_tables for row in tx.execute(select(table)))
            assert TeamQueries(database).link() is None
        finally:
            database.close()
        return [each for each in words if each in rows]


def let_in(member: httpx.Client, code: str) -> None:
    """A member confirms the code of a desktop that asks to join."""
    asked = member.get(f"/api/join/requests/{code}").json()
    assert asked["computer"] and asked["may_name"] is True, asked
    assert member.post(f"/api/join/requests/{code}", json={"allow": True, "password": PASSWORD}).status_code == 204


def administrator(server: RealServer, member: httpx.Client) -> None:
    """Set the first administrator's password, and sign the client in as them."""
    link = server.reached["invitation"].rpartition("/")[2]
    answer = member.post(f"/api/invitations/{link}", json={"password": PASSWORD})
    member.headers.update({"authorization": f"Session {answer.json()['key']}"})


def awaited(condition: Callable[[], bool]) -> None:
    """Wait until it is true, through answers that do not come."""
    until = time.monotonic() + WAIT_S
    while True:
        with suppress(httpx.HTTPError):
            if condition():
                return
        assert time.monotonic() < until
        time.sleep(0.1)
