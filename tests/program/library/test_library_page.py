"""The library page's endpoints over the real program: dated photos, thumbnails from the engine, hiding that outlives a restart."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
from PIL import Image

from agent.interfaces.web.runtime_file import find

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram


def ask(program: RealProgram, method: str, path: str, body: object = None) -> httpx.Response:
    """A request as the page makes it."""
    where = find(program.paths.runtime)
    headers = {"authorization": f"Bearer {where.token}"}
    return httpx.request(method, f"http://127.0.0.1:{where.port}{path}", json=body, headers=headers, trust_env=False, timeout=100)


def photos(program: RealProgram, photo: Callable[[int], Image.Image]) -> None:
    """Two photos of different days by their cameras."""
    for number, taken in enumerate(("2024:05:06 07:08:09", "2023:01:02 03:04:05")):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = taken
        photo(number).save(program.watched / f"{number}.jpg", exif=exif)


def test_photos_are_dated_and_have_a_thumbnail_as_soon_as_they_are_told_of(
    program: RealProgram, photo: Callable[[int], Image.Image]
) -> None:
    photos(program, photo)
    program.start()
    program.settled(2)

    index = ask(program, "GET", "/api/library").json()
    newest = program.images()["0.jpg"]
    assert index["ids"][0] == newest.id and newest.taken_at.isoformat() == "2024-05-06T07:08:09"
    assert index["days"] == [{"day": "2024-05-06", "count": 1}, {"day": "2023-01-02", "count": 1}]
    for image in program.images().values():
        (program.watched / image.name).unlink()  # so that it can't be made on demand any more
        answer = ask(program, "GET", f"/api/images/{image.id}/thumbnail")
        assert answer.status_code == 200 and answer.headers["cache-control"] == "private, no-store"
        thumbnail = Image.open(io.BytesIO(answer.content))
        assert max(thumbnail.size) == min(480, max(image.width, image.height))
    assert list(program.paths.cache.glob("thumbnails.db"))


def test_hiding_and_taking_it_back_outlive_a_restart(program: RealProgram, photo: Callable[[int], Image.Image]) -> None:
    photos(program, photo)
    program.start()
    program.settled(2)
    first, second = ask(program, "GET", "/api/library").json()["ids"]
    done = ask(program, "POST", "/api/library/actions", {"action": "hide", "ids": [first]}).json()
    program.kill()

    program.start()
    assert ask(program, "GET", "/api/library").json()["ids"] == [second]
    assert ask(program, "POST", "/api/library/undo", {"undo": done["undo"]}).status_code == 204
    assert ask(program, "GET", "/api/library").json()["ids"] == [first, second]


def test_a_lost_thumbnail_is_made_anew_and_a_photo_is_looked_at_again(program: RealProgram, photo: Callable[[int], Image.Image]) -> None:
    photos(program, photo)
    program.start()
    program.settled(2)
    program.quit()
    for file in program.paths.cache.glob("thumbnails.db*"):
        file.write_bytes(b"damaged")
    program.start()
    image = program.images()["0.jpg"]
    assert ask(program, "GET", f"/api/images/{image.id}/thumbnail").content.startswith(b"\xff\xd8\xff")
    assert ask(program, "POST", "/api/library/actions", {"action": "look_again", "ids": [image.id]}).json()["count"] == 1
    program.until(lambda _: program.images()["0.jpg"].indexed_at > image.indexed_at)
    assert program.images()["0.jpg"].faces == image.faces
