"""A bucket as a source: one class and a line in the wiring, tried with real engines over a real web server of this computer."""

import asyncio
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from PIL import Image

from agent.app import wiring
from agent.app.library_home import home_of_key
from agent.domain.errors import ImageMissing
from agent.domain.image import FileSeen
from agent.features.models.model_store import ModelStore
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.sources.source import Emit, FileAppeared
from agent.infrastructure.store.open_library import open_library


class Bucket:
    """Lists a web folder once and opens its files by copying them: what a shipped bucket would do, without its paging and credentials."""

    def __init__(self, address: str, names: list[str]) -> None:
        self._address, self._names = address, names
        self.opened: list[str] = []

    async def run(self, emit: Emit) -> None:
        for name in self._names:
            size = int((await asyncio.to_thread(httpx.head, f"{self._address}/{name}")).headers["content-length"])
            await emit(FileAppeared(FileSeen(f"web://album/{name}", size, 1, "web://album")))
        await asyncio.get_running_loop().create_future()

    async def rescan(self) -> None: ...

    def open(self, item: str) -> int:
        self.opened.append(item)
        answer = httpx.get(f"{self._address}/{item.rpartition('/')[2]}")
        if answer.status_code == 404:
            raise ImageMissing
        with tempfile.TemporaryFile() as file:
            file.write(answer.content)
            file.seek(0)
            return os.dup(file.fileno())


@pytest.fixture
def album(tmp_path: Path, photo: Callable[[int], Image.Image]) -> Iterator[tuple[str, Path]]:
    """Two photos and one twice: three files behind a web server."""
    folder = tmp_path / "album"
    folder.mkdir()
    for name, number in (("a.jpg", 0), ("b.jpg", 1), ("again.jpg", 0)):
        photo(number).save(folder / name, quality=95)
    (folder / "again.jpg").write_bytes((folder / "a.jpg").read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()
    serving.join()


async def test_photos_of_a_bucket_are_indexed_once_each_and_shown(
    tmp_path: Path, album: tuple[str, Path], model_store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = album
    monkeypatch.setattr(wiring, "model_store", lambda _: model_store)
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path / "home")}).create()
    bucket = Bucket(address, ["a.jpg", "b.jpg", "again.jpg"])
    settings = Settings.model_validate({"library": {"key_home": "file"}})
    database = open_library(paths.library, home_of_key(settings, paths))
    app = wiring.build(settings, paths, database=database, remote={"web": bucket})
    working = asyncio.create_task(app.run())
    try:
        hashes = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("a.jpg", "b.jpg")]
        async with asyncio.timeout(150):
            while sum(len(image.places) for image in app.library.images(limit=9)) < 3:
                assert not working.done()
                await asyncio.sleep(0.05)
        first, second = (app.library.image_by_hash(each) for each in hashes)
        assert first is not None and second is not None
        assert (len(first.faces), len(second.faces)) == (1, 2)
        assert {path for _, path in first.places} == {"web://album/a.jpg", "web://album/again.jpg"}
        assert (await app.previews.get(first.id, 240))[:2] == b"\xff\xd8"
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        database.close()
