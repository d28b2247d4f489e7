"""A batch's copies as one archive: streamed, with names that don't collide, and with a word on those that are not in it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request

from agent.domain.errors import TooManyRequests
from agent.features.redaction.copies_archive import CopiesArchive, _Names
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import PRINCIPAL, USAGE, Principal, Role, Scope
from agent.interfaces.web.scoped_route import count_export
from tests.in_process.test_redact_routes import made, owner, safe, served, shared_api, world

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.support.in_process_agent import World

__all__ = ["owner", "safe", "served", "shared_api", "world"]  # fixtures


async def batch_of(world: World, owner: httpx.AsyncClient, safe: Path, *names: str) -> str:
    for name in names:
        world.file(name)
    lines = await made(world, owner, safe)
    return str(lines[-1]["item"]["batch"])


def unpacked(answer: httpx.Response) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {each.filename: archive.read(each) for each in archive.infolist()}


async def test_it_holds_each_copy_as_it_is_and_is_kept_by_no_cache(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    uid = await batch_of(world, owner, safe, "a.jpg", "图 1.jpg")
    answer = await owner.get(f"/api/redactions/{uid}/copies.zip")
    assert unpacked(answer) == {name: (safe / name).read_bytes() for name in ("a.jpg", "图 1.jpg")}
    assert answer.headers["content-type"] == "application/zip" and "no-store" in answer.headers["cache-control"]
    assert answer.headers["content-disposition"].startswith("attachment") and "content-length" not in answer.headers


async def test_a_copy_that_vanished_or_waits_is_named_in_it(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    uid = await batch_of(world, owner, safe, "a.jpg", "b.jpg", "c.jpg")
    (safe / "a.jpg").unlink()
    [doubtful] = [each for each in (await owner.get(f"/api/redactions/{uid}/items")).json()["items"] if each["target"].endswith("c.jpg")]
    world.real.copy_made(doubtful["id"], doubtful["target"], review=True, now=world.app.now())
    found = unpacked(await owner.get(f"/api/redactions/{uid}/copies.zip"))
    assert sorted(found) == ["Not included.txt", "b.jpg"]
    said = found["Not included.txt"].decode().splitlines()
    assert said[0] == "2 copies are not in this archive:" and said[3] == "c.jpg: It waits for review."
    assert said[2].startswith("a.jpg: ") and str(safe) not in said[2]


async def test_a_copy_that_is_edited_while_the_download_pauses_is_not_in_it(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    """A member's own edit would come out without anyone having looked at it."""
    uid = await batch_of(world, owner, safe, "a.jpg")

    async def edits_meanwhile(item_id: int) -> None:
        world.real.copy_made(item_id, str(safe / "a.jpg"), review=True, now=world.app.now())
        (safe / "a.jpg").write_bytes(b"uncovered")

    archive = CopiesArchive(world.real, world.app.actions.readable, Texts("en"), edits_meanwhile)
    whole = b"".join([part async for part in archive.parts(uid)])
    with zipfile.ZipFile(io.BytesIO(whole)) as found:
        assert found.namelist() == ["Not included.txt"]
        assert b"a.jpg: It waits for review." in found.read("Not included.txt")


async def test_a_batch_without_a_finished_copy_has_none(world: World, owner: httpx.AsyncClient) -> None:
    assert (await owner.get("/api/redactions/none/copies.zip")).status_code == 404


async def test_no_more_than_a_part_of_it_is_held_at_once(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    uid = await batch_of(world, owner, safe, "a.jpg", "b.jpg")
    (safe / "a.jpg").write_bytes(bytes(5_000_000))
    counted: list[int] = []

    async def handed_out(item_id: int) -> None:
        counted.append(item_id)

    archive = CopiesArchive(world.real, world.app.actions.readable, Texts("en"), handed_out)
    sizes = [len(part) async for part in archive.parts(uid)]
    assert sum(sizes) > 5_000_000 and max(sizes) < 1_100_000 and len(counted) == 2


async def test_a_download_that_is_broken_off_in_the_middle_of_a_copy_ends_quietly(
    world: World, owner: httpx.AsyncClient, safe: Path
) -> None:
    uid = await batch_of(world, owner, safe, "a.jpg")
    (safe / "a.jpg").write_bytes(bytes(5_000_000))

    async def handed_out(_: int) -> None: ...

    parts = CopiesArchive(world.real, world.app.actions.readable, Texts("en"), handed_out).parts(uid)
    assert len(await anext(parts)) > 1_000_000
    await parts.aclose()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["a.jpg", "A.JPG", "a (2).jpg"], ["a.jpg", "A (2).JPG", "a (2) (2).jpg"]),
        (["x", "x"], ["x", "x (2)"]),
        (["e\u0301.jpg", "\u00e9.jpg"], ["\u00e9.jpg", "\u00e9 (2).jpg"]),
        (["a:b?.jpg", "..\\a.jpg"], ["a_b_.jpg", ".._a.jpg"]),
    ],
)
def test_names_do_not_collide_on_any_system(wanted: list[str], expected: list[str]) -> None:
    names = _Names()
    assert [names.free(each) for each in wanted] == expected


async def test_each_copy_counts_as_a_download_and_waits_if_there_were_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    class Used:
        def __init__(self) -> None:
            self.asked = 0
            self.items: list[Mapping[str, str]] = []

        async def entering(self, principal: Principal, scope: Scope) -> None:
            self.asked += 1
            if self.asked == 1:
                raise TooManyRequests(seconds=7)

        def refused(self, principal: Principal) -> None: ...

        def taken(self, principal: Principal, about: Mapping[str, str]) -> None:
            self.items.append(about)

    used = Used()
    request = Request({"type": "http", USAGE: used, PRINCIPAL: Principal("member", "m", "mei", Role.EDITOR, frozenset())})
    monkeypatch.setattr("agent.interfaces.web.scoped_route.asyncio.sleep", sleep)
    await count_export(request, 12)
    assert (slept, used.asked, used.items) == ([7.0], 2, [{"item_id": "12"}])
