"""Members of a team server who keep working while it is killed, and remember what they were answered."""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.real_server import RealServer

PASSWORD = "four words hard to guess"
PACE_S = (0.02, 0.3)


class Gone(Exception):
    """There was no answer, or one that does not tell whether it was done: the server or its database was killed meanwhile."""


class Refused(Exception):
    """The server said no: nothing was done."""


class Desk:
    """A member at their browser: one session, which lasts through the server's restarts."""

    def __init__(self, server: RealServer, key: str) -> None:
        self._server = server
        self._key = key
        self.answers = 0
        self._http: httpx.Client | None = None
        self._left = contextlib.ExitStack()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Raises Gone, Refused."""
        answer = self.request(method, path, body)
        return answer.json() if answer.content else None

    def request(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        """Raises Gone, Refused."""
        try:
            if self._http is None:
                self._http = self._left.enter_context(self._server.visitor())
                self._http.headers["authorization"] = f"Session {self._key}"
            answer = self._http.request(method, path, json=body, **more)
        except (httpx.HTTPError, OSError) as error:
            self.leave()
            raise Gone from error
        if answer.status_code >= 500:
            assert answer.status_code == 503, answer.text  # a defect of the program is never the answer
            raise Gone
        if not answer.is_success:
            raise Refused(answer.text)
        self.answers += 1
        return answer

    def leave(self) -> None:
        self._http = None
        self._left.close()


def desk_of_first(server: RealServer) -> Desk:
    """The first administrator, who accepted the invitation."""
    return _accepted(server, server.reached["invitation"])


def desk_of(administrator: Desk, server: RealServer, name: str, role: str) -> Desk:
    """A new member, who accepted theirs."""
    made = administrator.ask("POST", "/api/members", {"name": name, "display_name": name.title(), "role": role})
    return _accepted(server, administrator.ask("POST", f"/api/members/{made['id']}/invitation")["path"])


def _accepted(server: RealServer, link: str) -> Desk:
    with server.visitor() as visitor:
        answer = visitor.post(f"/api/invitations/{link.rpartition('/')[2]}", json={"password": PASSWORD})
        assert answer.is_success, answer.text
        return Desk(server, answer.json()["key"])


@dataclass
class Said:
    """What a member was told of their namings, by the name, which is used once: the face, and whether it stands."""

    faces: dict[str, int] = field(default_factory=dict)
    stand: set[str] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)  # the naming, or its undo, was not answered


class Working(threading.Thread):
    """Does something over and over, at odd moments, until it is told to stop; what goes wrong is raised by `ended`."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.desk = desk
        self.chance = chance
        self._over = threading.Event()
        self._failed: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._over.wait(self.chance.uniform(*PACE_S)):
                with contextlib.suppress(Gone):
                    self.step()
        except BaseException as error:
            self._failed = error
        finally:
            self.desk.leave()

    def step(self) -> None:
        """Do it once. Raises Gone."""
        raise NotImplementedError

    def ended(self) -> None:
        self._over.set()
        self.join()
        if self._failed is not None:
            raise self._failed

    def images(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.desk.ask("GET", "/api/images?limit=200")["items"]
        return found


class Naming(Working):
    """Names faces, each with a name of its own, and takes back every fourth; `mine` are the faces that this member looks at."""

    def __init__(self, desk: Desk, chance: random.Random, name: str, mine: Callable[[int], bool]) -> None:
        super().__init__(desk, chance)
        self.said = Said()
        self._name = name
        self._mine = mine

    def step(self) -> None:
        taken = set(self.said.faces.values())
        left = [face["id"] for image in self.images() for face in image["faces"] if self._mine(face["id"]) and face["id"] not in taken]
        if not left:
            return
        name = f"{self._name} {len(self.said.faces)}"
        self.said.faces[name] = self.chance.choice(left)
        with self._doubted(name):
            step = self.desk.ask("POST", "/api/people/edits", {"kind": "name", "face_ids": [self.said.faces[name]], "name": name})
        self.said.stand.add(name)
        if self.chance.random() < 0.25:
            self.said.stand.remove(name)
            with self._doubted(name):
                self.desk.ask("POST", "/api/undo", {"undo": step["undo"]})
            self.said.undone.add(name)

    @contextlib.contextmanager
    def _doubted(self, name: str) -> Iterator[None]:
        try:
            yield
        except Gone:
            self.said.unknown.add(name)
            raise


class Covering(Working):
    """Has photos covered, a few in each batch."""

    def __init__(self, desk: Desk, chance: random.Random, each: int = 3, most: int = 12) -> None:
        super().__init__(desk, chance)
        self.batches: dict[str, list[str]] = {}  # names of the photos, by the batch's number
        self._each = each
        self._most = most
        self._asked = 0

    def step(self) -> None:
        found = self.images()
        if len(found) < self._each or self._asked >= self._most:
            return
        chosen = self.chance.sample(found, self._each)
        self._asked += 1
        wish = {"images": [image["id"] for image in chosen], "out": f"covered {self._asked}"}
        batch = self.desk.ask("POST", "/api/redactions", wish)
        self.batches[batch["uid"]] = [image["name"] for image in chosen]
