"""Callers of every kind on a running team server: each role, tokens, a desktop that joined, and one who has not signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp

from agent.interfaces.web.access import SCOPES, Role, Scope
from agent.interfaces.web.runtime_file import find
from tests.support.real_server import RealServer

PASSWORD = "four words hard to guess"
TOKEN_SCOPES = frozenset({Scope.STATUS_READ, Scope.PHOTOS_READ, Scope.PHOTOS_EXPORT})
DESK_SCOPES = frozenset({Scope.PEOPLE_RECOGNISE, Scope.PEOPLE_WRITE, Scope.PHOTOS_UPLOAD})
SECOND_FACTOR, OUTSIDER, DESK, TOKEN, NOBODY = "administrator with a second factor", "viewer without a library", "desk", "token", "nobody"
# Administrators come last: they may remove the library.
KINDS = (NOBODY, TOKEN, DESK, OUTSIDER, *(role.value for role in reversed(Role)), SECOND_FACTOR)


@dataclass(frozen=True)
class Caller:
    """`scopes` are those whose routes may be answered."""

    scopes: frozenset[Scope]
    headers: dict[str, str]


class Callers:
    """Makes them as an administrator on the server's own computer does, who can't be locked out by any request."""

    def __init__(self, server: RealServer) -> None:
        self._server = server
        self._shared = 0
        self._numbers = count(1)

    def settle_in(self) -> None:
        """Name the people of two photos, and make a library of all, in which members get their roles, but the outsider."""
        with self.administrator() as local:
            images = _done(local.get("/api/images?limit=2")).json()["items"]
            for image, name in zip(images, ("Ann", "Ben"), strict=True):
                wanted = {"kind": "name", "face_ids": [image["faces"][0]["id"]], "name": name}
                _done(local.post("/api/people/edits", json=wanted))
            made = _done(local.post("/api/libraries", json={"name": "Shared", "sources": [str(self._server.watched)]}))
            self._shared = made.json()["id"]

    def make(self, kind: str) -> Caller:
        """A new one, with an account of its own."""
        match kind:
            case "nobody":
                return Caller(frozenset(), {})
            case "administrator with a second factor":
                return Caller(SCOPES[Role.ADMINISTRATOR], self._with_second_factor(self._member(Role.ADMINISTRATOR)))
            case "viewer without a library":
                return Caller(SCOPES[Role.VIEWER], self._member(Role.VIEWER, inside=False))
            case "desk":
                return Caller(DESK_SCOPES, self._joined(self._member(Role.CURATOR)))
            case "token":
                return Caller(TOKEN_SCOPES, self._token(self._member(Role.EDITOR)))
        role = Role(kind)
        return Caller(SCOPES[role], self._member(role))

    @contextmanager
    def administrator(self) -> Iterator[httpx.Client]:
        with self._as({"authorization": f"Bearer {find(self._server.paths.runtime).token}"}) as local:
            yield local

    def _member(self, role: Role, *, inside: bool = True) -> dict[str, str]:
        with self.administrator() as local, self._server.visitor() as visitor:
            name = f"{role.value} {next(self._numbers)}"
            member = _done(local.post("/api/members", json={"name": name, "display_name": name, "role": role.value})).json()
            if inside and role in (Role.CURATOR, Role.EDITOR, Role.VIEWER):
                _done(local.put(f"/api/libraries/{self._shared}/members/{member['id']}", json={"role": role.value}))
            link = _done(local.post(f"/api/members/{member['id']}/invitation")).json()["path"]
            accepted = _done(visitor.post(f"/api/invitations/{link.rpartition('/')[2]}", json={"password": PASSWORD}))
            return {"authorization": f"Session {accepted.json()['key']}"}

    def _with_second_factor(self, headers: dict[str, str]) -> dict[str, str]:
        with self._as(headers) as member:
            uri = _done(member.post("/api/account/second-factor", json={"password": PASSWORD})).json()["uri"]
            code = pyotp.TOTP(parse_qs(urlsplit(uri).query)["secret"][0]).now()
            _done(member.post("/api/account/second-factor", json={"code": code}))
        return headers

    def _joined(self, headers: dict[str, str]) -> dict[str, str]:
        with self._as(headers) as member:
            asked = _done(member.post("/api/join", json={"computer": "Desk"})).json()
            _done(member.post(f"/api/join/requests/{asked['user_code']}", json={"allow": True, "password": PASSWORD}))
            token = _done(member.post("/api/join/answer", json={"device_code": asked["device_code"]})).json()["token"]
        return {"authorization": f"Bearer {token}"}

    def _token(self, headers: dict[str, str]) -> dict[str, str]:
        with self._as(headers) as member:
            wanted = {"name": "x", "scopes": sorted(TOKEN_SCOPES), "password": PASSWORD}
            made: dict[str, Any] = _done(member.post("/api/account/tokens", json=wanted)).json()
        return {"authorization": f"Bearer {made['token']}"}

    @contextmanager
    def _as(self, headers: dict[str, str]) -> Iterator[httpx.Client]:
        with self._server.visitor() as visitor:
            visitor.headers.update(headers)
            yield visitor


def _done(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, answer.text
    return answer
