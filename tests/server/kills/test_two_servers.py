"""Two processes of a server on one database and one data folder: whichever a request reaches, the answer is the same."""

import base64
import contextlib
import hashlib
import json
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select

from agent.infrastructure.store.schema import event, place
from agent.server.accounts.oidc.auth_request import LOGOUT
from tests.contract.test_people import photo as photo_of
from tests.support.openid_provider import SECRET, OpenIdProvider
from tests.support.postgres_server import PostgresServer
from tests.support.real_program import WAIT_S
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
PASSWORD = "four words hard to guess"
TUS = {"tus-resumable": "1.0.0"}
PART = {**TUS, "content-type": "application/offset+octet-stream"}


class Pair:
    """Two instances, `a` and `b`, started at once on an empty database; only one of them invites the first administrator."""

    def __init__(self, root: Path, models: Path, database: str, school: OpenIdProvider) -> None:
        environment = {"AI_POPUP__SERVER__WORKERS": "1", "AI_POPUP__ENGINE__WORKERS": "1"}
        first = RealServer(root, models, environment)
        first.file.set("server.database", database)
        first.file.set("recognition.enabled", "true")
        first.file.set("consent.required", "never")
        secret = root / "secret"
        secret.write_text(SECRET)
        known = school.settings(secret_path=str(secret), create_members=True)
        for name, value in known.model_dump(mode="json", exclude_defaults=True).items():
            first.file.set(f"oidc.{name}", str(value))
        self.a, self.b = first.beside("a"), first.beside("b")
        self.both = (self.a, self.b)
        self.key = ""

    def start(self) -> None:
        for each in self.both:
            each.begin()
        for each in self.both:
            each.wait()

    def quit(self) -> None:
        for each in self.both:
            each.quit()

    @contextlib.contextmanager
    def at(self, server: RealServer, key: str | None = None) -> Iterator[httpx.Client]:
        """A client of one of them, signed in."""
        with server.visitor() as client:
            client.headers["authorization"] = f"Session {key or self.key}"
            yield client

    @property
    def leader(self) -> RealServer:
        """The one that says so; the other waits."""
        found: RealServer = until(lambda: next((each for each in self.both if each.alive and said(each, "leader.elected")), None))
        return found


def until(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return found


def said(server: RealServer, event_name: str) -> bool:
    log = server.paths.logs / "server.log"
    return log.exists() and event_name in log.read_text()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    school = OpenIdProvider(tmp_path_factory.mktemp("school"))
    yield school
    school.close()


@pytest.fixture
def pair(tmp_path: Path, models_folder: Path, postgres: PostgresServer, school: OpenIdProvider) -> Iterator[Pair]:
    pair = Pair(tmp_path, models_folder, postgres.url(postgres.create()).replace("+psycopg", ""), school)
    try:
        pair.start()
        [inviting] = [each for each in pair.both if each.reached["invitation"]]
        [other] = [each for each in pair.both if each is not inviting]
        with other.visitor() as visitor:  # the link that one printed is good at the other
            answer = visitor.post(f"/api/invitations/{inviting.reached['invitation'].rpartition('/')[2]}", json={"password": PASSWORD})
            assert answer.is_success, answer.text
            pair.key = answer.json()["key"]
        yield pair
    finally:
        pair.quit()


def test_what_one_process_changes_the_other_knows(pair: Pair, school: OpenIdProvider) -> None:
    with pair.at(pair.a) as a, pair.at(pair.b) as b:
        # Sessions, tokens and rights end everywhere.
        made = a.post("/api/members", json={"name": "ann", "display_name": "Ann", "role": "curator"}).json()
        link = b.post(f"/api/members/{made['id']}/invitation").json()["path"]
        key = a.post(f"/api/invitations/{link.rpartition('/')[2]}", json={"password": PASSWORD}).json()["key"]
        with pair.at(pair.a, key) as ann_a, pair.at(pair.b, key) as ann_b:
            assert ann_a.get("/api/account").is_success and ann_b.get("/api/account").is_success
            token = ann_a.post("/api/account/tokens", json={"name": "t", "scopes": ["status.read"], "days": 1, "password": PASSWORD}).json()
            bearer = {"authorization": f"Bearer {token['token']}"}
            assert ann_b.get("/api/status", headers=bearer).is_success
            assert ann_a.delete(f"/api/account/tokens/{token['id']}").is_success
            until(lambda: ann_b.get("/api/status", headers=bearer).status_code == 401)
            with streaming(ann_b, "/api/events") as events:
                next(events)
                assert a.patch(f"/api/members/{made['id']}", json={"locked": True}).is_success
                assert list(events) is not None  # it ends: the rights that it goes on with are gone
            until(lambda: ann_b.get("/api/account").status_code == 401)
        # So do sessions that their member ends everywhere, or the provider: those that it opened, and not the others.
        of_grace = [provider_session(pair.a, school) for _ in range(2)]
        with pair.at(pair.a, of_grace[0]) as grace_a, pair.at(pair.b, of_grace[1]) as grace_b:
            assert grace_a.get("/api/account").json()["display_name"] == grace_b.get("/api/account").json()["display_name"] == "Grace H."
            assert grace_a.delete("/api/account/sessions").json() == {"count": 2}
            until(lambda: grace_b.get("/api/account").status_code == 401)
        with pair.at(pair.b, provider_session(pair.a, school)) as grace_b:
            assert grace_b.get("/api/account").is_success
            with streaming(grace_b, "/api/events") as events:
                next(events)
                assert a.post(LOGOUT, data={"logout_token": school.logout_token(sub="u-1")}).status_code == 200
                assert list(events) is not None
            until(lambda: grace_b.get("/api/account").status_code == 401)
            assert a.get("/api/account").is_success and b.get("/api/account").is_success
        # Libraries.
        assert a.post("/api/libraries", json={"name": "Archive"}).is_success
        until(lambda: "Archive" in {each["name"] for each in b.get("/api/libraries").json()["items"]})
        # A pause holds in both, whichever ends it.
        assert a.post("/api/pause").is_success
        until(lambda: b.get("/api/status").json()["state"] == "paused")
        assert b.post("/api/resume").is_success
        until(lambda: a.get("/api/status").json()["state"] != "paused")
        # Both processes have one authority, so a desktop that pinned it is content with either.
        assert pair.a.reached["fingerprint"] == pair.b.reached["fingerprint"]


def provider_session(server: RealServer, school: OpenIdProvider) -> str:
    """The key of a session that is opened at this process by the provider."""
    with server.visitor() as page:
        begun = page.post("/api/account/provider/begin").json()
        back = page.get("/provider", params=school.arrives(begun["address"]))
        given = parse_qs(back.headers["location"].partition("#provider/")[2])
        asked = {name: values[0] for name, values in given.items()} | {"keep": begun["keep"]}
        answer = page.post("/api/account/provider/sign-in", json=asked)
        assert answer.is_success, answer.text
        return str(answer.json()["signed_in"]["key"])


def test_one_of_them_watches_and_another_takes_over(pair: Pair, photo: Callable[[int], Image.Image]) -> None:
    leader = pair.leader
    [other] = [each for each in pair.both if each is not leader]
    for number in range(3):
        photo(number).save(leader.watched / f"{number}.jpg")
    with pair.at(other) as client:
        until(lambda: client.get("/api/status").json()["images"] == 3)
        assert not said(other, "leader.elected")
        leader.kill()
        until(lambda: said(other, "leader.elected"))
        photo(3).save(leader.watched / "3.jpg")
        until(lambda: client.get("/api/status").json()["images"] == 4)
        until(lambda: client.get("/api/status").json()["queued"] == 0)
        leader.serve()  # it comes back, and follows
        with pair.at(leader) as back:
            assert back.get("/api/status").json()["images"] == 4
            photo(4).save(leader.watched / "4.jpg")
            assert back.post("/api/rescan").is_success
            until(lambda: back.get("/api/status").json()["images"] == 5)
            until(lambda: back.get("/api/status").json()["queued"] == 0)
    with other.library() as library, library.database.read() as tx:
        kind = func.json_extract_path_text(event.c.payload, "kind")
        assert tx.scalar(select(func.count()).select_from(event).where(kind == "image_indexed")) == 5  # none was analysed twice
        assert tx.scalar(select(func.count()).select_from(place)) == 5


def test_a_photo_arrives_in_parts_over_both(pair: Pair) -> None:
    content = b"\xff\xd8\xff" + hashlib.shake_256(b"photo").digest(200_000)
    with pair.at(pair.a) as a, pair.at(pair.b) as b:
        where = begin(a, content)
        half = len(content) // 2
        assert a.patch(where, content=content[:half], headers={**PART, "upload-offset": "0"}).status_code == 204
        # A connection to one of them hangs in the middle of a part; the browser goes on with the other.
        with hanging(pair.a, pair.key, where, half, content[half : half + 10_000], len(content) - half):
            offset = until(lambda: int(b.head(where, headers=TUS).headers.get("upload-offset", "0")) or None)
            assert half <= offset <= half + 10_000
            rest = b.patch(where, content=content[offset:], headers={**PART, "upload-offset": str(offset)})
            assert rest.headers.get("upload-outcome") == "stored", rest.text
        assert int(a.head(where, headers=TUS).headers["upload-offset"]) == len(content)
        # The same content, sent to both at once, is stored once.
        twin = b"\xff\xd8\xff" + hashlib.shake_256(b"twin").digest(200_000)
        places = [(client, begin(client, twin)) for client in (a, b, a, b)]
        with ThreadPoolExecutor(2) as threads:
            sent = list(threads.map(lambda each: send(each[0], each[1], twin), places))
        assert Counter(sent) == {"stored": 1, "duplicate": 3}
    stored = [each.read_bytes() for each in (pair.a.paths.data / "uploads").rglob("*.jpg")]
    assert sorted(stored) == sorted([content, twin])


def test_guesses_and_requests_count_together_and_a_desktop_and_a_draft_go_over_both(pair: Pair) -> None:
    with pair.a.visitor() as a, pair.b.visitor() as b:
        wrong = {"name": "eve", "password": "guessed"}
        answers = [client.post("/api/account/sign-in", json=wrong).status_code for client in (a, b, a, b, a, b)]
        assert answers == [401] * 5 + [429]
        asked = a.post("/api/join", json={"computer": "desk", "system": "Linux"}).json()
        with pair.at(pair.b) as member:
            assert member.get(f"/api/join/requests/{asked['user_code']}").json()["computer"] == "desk"
            wish = {"allow": True, "password": PASSWORD}
            assert member.post(f"/api/join/requests/{asked['user_code']}", json=wish).is_success
        granted = a.post("/api/join/answer", json={"device_code": asked["device_code"]}).json()
        assert granted["state"] == "granted"
        assert b.get("/api/desk/libraries", headers={"authorization": f"Bearer {granted['token']}"}).is_success
        assert b.post("/api/join/answer", json={"device_code": asked["device_code"]}).json()["state"] == "expired"
        # What one address begins, and what a member may do in a minute: once one process refuses it, the other does.
        assert refused_by_both(lambda client: client.post("/api/account/passkey-challenge", json={"second": False}), a, b)
    with pair.at(pair.a) as a, pair.at(pair.b) as b:
        assert refused_by_both(lambda client: client.post("/api/people/999/forget"), a, b)
        # A name that was begun at one is known to the other, until it is given.
        with pair.a.library() as library:
            [face_id] = photo_of(library, "a", 1)
        for client, name in ((a, "M"), (b, "Me"), (a, "Mei")):
            assert client.post("/api/drafts", json={"face_id": face_id, "name": name}).is_success
        for client in (a, b):
            assert client.get("/api/drafts").json() == [{"face_id": face_id, "name": "Mei"}]
        assert b.post("/api/people", json={"face_id": face_id, "name": "Mei"}).is_success
        assert a.get("/api/drafts").json() == []


def refused_by_both(ask: Callable[[httpx.Client], httpx.Response], first: httpx.Client, second: httpx.Client) -> bool:
    """Ask the one until it refuses, and then the other."""
    next(number for number in range(1_000) if ask(first).status_code == 429)
    return ask(second).status_code == 429


def begin(client: httpx.Client, content: bytes) -> str:
    said = f"filename {base64.b64encode(b'a.jpg').decode()}"
    answer = client.post("/api/uploads", headers={**TUS, "upload-length": str(len(content)), "upload-metadata": said})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def send(client: httpx.Client, where: str, content: bytes) -> str:
    return client.patch(where, content=content, headers={**PART, "upload-offset": "0"}).headers["upload-outcome"]


@contextlib.contextmanager
def hanging(server: RealServer, key: str, where: str, offset: int, part: bytes, announced: int) -> Iterator[None]:
    """A request that sends less than it announced, and then nothing."""
    trust = ssl.create_default_context(cafile=server.authority)
    port = int(server.address.rpartition(":")[2])
    words = {"host": f"localhost:{port}", "authorization": f"Session {key}", **PART, "upload-offset": offset, "content-length": announced}
    head = f"PATCH {where} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in words.items()) + "\r\n"
    with socket.create_connection(("localhost", port)) as bare, trust.wrap_socket(bare, server_hostname="localhost") as secure:
        secure.sendall(head.encode() + part)
        yield


@contextlib.contextmanager
def streaming(client: httpx.Client, path: str) -> Iterator[Iterator[dict[str, Any]]]:
    with client.stream("GET", path) as answer:
        assert answer.is_success, answer.read()
        yield (json.loads(line.removeprefix("data:")) for line in answer.iter_lines() if line.startswith("data:"))
