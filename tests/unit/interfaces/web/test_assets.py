"""The pages' own files: compressed for browsers elsewhere that take it, and the same file otherwise."""

import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from agent.interfaces.web.assets import Assets

SCRIPT = "export const words = 'the same again and again'\n" * 200


def served(tmp_path: Path, *, compressed: bool = True) -> httpx.AsyncClient:
    (tmp_path / "main-1a2b.js").write_bytes(SCRIPT.encode())
    (tmp_path / "tiny-1a2b.js").write_text("export {}")
    (tmp_path / "photo-1a2b.png").write_bytes(bytes(5_000))
    api = FastAPI()
    api.mount("/assets", Assets(tmp_path, compressed=compressed))
    return httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test", headers={"accept-encoding": "identity"})


async def test_a_browser_that_takes_it_gets_less(tmp_path: Path) -> None:
    async with served(tmp_path) as browser:
        first, second = [await browser.get("/assets/main-1a2b.js", headers={"accept-encoding": "br, gzip"}) for _ in range(2)]
        for answer in (first, second):
            assert answer.text == SCRIPT and answer.headers["content-encoding"] == "gzip"
            assert int(answer.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), mtime=0)) < len(SCRIPT) / 10
            assert answer.headers["vary"] == "accept-encoding" and "immutable" in answer.headers["cache-control"]
            assert answer.headers["content-type"].startswith("text/javascript") and answer.headers["etag"].startswith('W/"')
        again = {"accept-encoding": "gzip", "if-none-match": first.headers["etag"]}
        assert (await browser.get("/assets/main-1a2b.js", headers=again)).status_code == 304


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("main-1a2b.js", {}),
        ("main-1a2b.js", {"accept-encoding": "br, gzip;q=0"}),
        ("main-1a2b.js", {"accept-encoding": "gzip", "range": "bytes=0-99"}),
        ("tiny-1a2b.js", {"accept-encoding": "gzip"}),
        ("photo-1a2b.png", {"accept-encoding": "gzip"}),
    ],
)
async def test_what_gains_nothing_or_was_not_asked_for_is_sent_as_it_is(tmp_path: Path, name: str, asked: dict[str, str]) -> None:
    async with served(tmp_path) as browser:
        answer = await browser.get(f"/assets/{name}", headers=asked)
        assert "content-encoding" not in answer.headers and answer.content == (tmp_path / name).read_bytes()[: len(answer.content)]


async def test_on_one_computer_nothing_is_compressed(tmp_path: Path) -> None:
    async with served(tmp_path, compressed=False) as browser:
        answer = await browser.get("/assets/main-1a2b.js", headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in answer.headers and answer.text == SCRIPT
