"""Members at work during the group `availability`: they read, name faces and upload photos at a steady pace, and remember the answers."""

import asyncio
import base64
import hashlib
import io
import itertools
import random
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from PIL import Image

from agent.domain.face import Box
from scripts.benchmarks.availability_figures import Answer, Outcome
from scripts.benchmarks.photos import composed

PACE_S, UPLOAD_PACE_S, AGAIN_S, LIMIT_S = 0.1, 4.0, 1.0, 15.0  # as the page's limit
NAMINGS, LISTS = 0.04, 0.36  # shares of the requests; the rest are thumbnails
_NO_ANSWER = (502, 503, 504)
_TUS = {"tus-resumable": "1.0.0"}


class Load:
    """A signed-in member's requests, begun at a fixed pace whether or not those before were answered."""

    def __init__(self, address: str, trust: ssl.SSLContext, key: str, samples: Path, seed: int) -> None:
        limits = httpx.Limits(max_connections=500, max_keepalive_connections=8)
        headers = {"authorization": f"Session {key}"}
        self._http = httpx.AsyncClient(base_url=address, verify=trust, trust_env=False, timeout=LIMIT_S, headers=headers, limits=limits)
        self._chance = random.Random(seed)
        self._photos = _photos(samples, seed)
        self.answers: list[Answer] = []
        self.refusals: list[tuple[float, str]] = []  # when, and the code or the error
        self.uploaded: dict[str, str] = {}  # what became of each photo, by content
        self.named: dict[str, int] = {}  # the face, by the name that was acknowledged
        self._faces: list[int] = []
        self._asked_faces: set[int] = set()
        self._thumbnails: dict[str, str] = {}  # digest by image
        self._numbers = itertools.count()

    async def run(self, over: asyncio.Event) -> None:
        """Until `over`, and until everything under way is answered and every photo stored."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._upload_all(over))
            at = time.monotonic()
            while not over.is_set():
                tasks.create_task(self._one())
                at += PACE_S
                await asyncio.sleep(max(0.0, at - time.monotonic()))
        await self._http.aclose()

    async def first(self, count: int) -> None:
        """Upload some photos, before anything is measured."""
        for _ in range(count):
            await self._upload()
        while len(self._faces) < count:
            await self._list()
            await asyncio.sleep(AGAIN_S)
        self.answers.clear()

    async def _one(self) -> None:
        drawn = self._chance.random()
        if drawn < NAMINGS and (left := [face for face in self._faces if face not in self._asked_faces]):
            await self._name(left[0])
        elif drawn < NAMINGS + LISTS or not self._thumbnails:
            await self._list()
        else:
            await self._thumbnail(self._chance.choice(sorted(self._thumbnails)))

    async def _list(self) -> None:
        known = set(self._thumbnails)
        answer, began, repeated = await self._read("/api/images?limit=200")
        if answer is None or answer.status_code in _NO_ANSWER:
            return self._note("list", began, Outcome.NONE, repeated)
        items = answer.json()["items"] if answer.is_success else []
        found = {each["id"] for each in items}
        self._note("list", began, Outcome.RIGHT if answer.is_success and known <= found else Outcome.WRONG, repeated)
        for each in items:
            self._thumbnails.setdefault(each["id"], "")
            self._faces += [face["id"] for face in each["faces"] if face["id"] not in self._faces]

    async def _thumbnail(self, image: str) -> None:
        answer, began, repeated = await self._read(f"/api/images/{image}/thumbnail")
        if answer is None or answer.status_code in _NO_ANSWER:
            return self._note("thumbnail", began, Outcome.NONE, repeated)
        digest = hashlib.sha256(answer.content).hexdigest()
        right = answer.is_success and (self._thumbnails[image] or digest) == digest
        if answer.is_success:
            self._thumbnails[image] = digest
        self._note("thumbnail", began, Outcome.RIGHT if right else Outcome.WRONG, repeated)

    async def _name(self, face: int) -> None:
        self._asked_faces.add(face)
        name = f"Person {next(self._numbers)}"
        answer, began = await self._ask("POST", "/api/people/edits", json={"kind": "name", "face_ids": [face], "name": name})
        if answer is None or answer.status_code in _NO_ANSWER:
            return self._note("naming", began, Outcome.NONE)
        self._note("naming", began, Outcome.RIGHT if answer.is_success else Outcome.WRONG)
        if answer.is_success:
            self.named[name] = face

    async def _upload_all(self, over: asyncio.Event) -> None:
        while not over.is_set():
            began = time.monotonic()
            await self._upload()
            await asyncio.sleep(max(0.0, began + UPLOAD_PACE_S - time.monotonic()))

    async def _upload(self) -> None:
        """Send a photo until the server says that it has it, as the page does: from the beginning after an answer that didn't come."""
        name, content = next(self._photos)
        said = await self._sent(name, content)
        while not said:
            await asyncio.sleep(AGAIN_S)
            said = await self._sent(name, content)
        self.uploaded[hashlib.sha256(content).hexdigest()] = said

    async def _sent(self, name: str, content: bytes) -> str:
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        headers = {**_TUS, "upload-length": str(len(content)), "upload-metadata": metadata}
        answer, began = await self._ask("POST", "/api/uploads", headers=headers)
        self._note("upload", began, _outcome(answer, 201))
        if answer is None or answer.status_code != 201:
            return ""
        headers = {**_TUS, "content-type": "application/offset+octet-stream", "upload-offset": "0"}
        answer, began = await self._ask("PATCH", answer.headers["location"], content=content, headers=headers)
        self._note("upload", began, _outcome(answer, 204))
        return str(answer.headers.get("upload-outcome", "")) if answer is not None else ""

    async def _read(self, path: str) -> tuple[httpx.Response | None, float, bool]:
        """Ask once more after an answer that didn't come: it changes nothing."""
        answer, began = await self._ask("GET", path)
        if answer is not None and answer.status_code not in _NO_ANSWER:
            return answer, began, False
        await asyncio.sleep(AGAIN_S if answer is None else float(answer.headers.get("retry-after", AGAIN_S)))
        answer, _ = await self._ask("GET", path)
        return answer, began, True

    async def _ask(self, method: str, path: str, **words: object) -> tuple[httpx.Response | None, float]:
        began = time.monotonic()
        try:
            answer = await self._http.request(method, path, **words)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            self.refusals.append((time.monotonic(), type(error).__name__))
            return None, began
        if not answer.is_success:
            self.refusals.append((time.monotonic(), str(answer.status_code)))
        return answer, began

    def _note(self, kind: str, began: float, outcome: Outcome, repeated: bool = False) -> None:
        self.answers.append(Answer(kind, began, time.monotonic(), outcome, repeated))


def _outcome(answer: httpx.Response | None, code: int) -> Outcome:
    if answer is None or answer.status_code in _NO_ANSWER:
        return Outcome.NONE
    return Outcome.RIGHT if answer.status_code == code else Outcome.WRONG


def _photos(samples: Path, seed: int) -> Iterator[tuple[str, bytes]]:
    """Small photos with two faces each; no two are the same."""
    for number in itertools.count(seed * 10_000):
        boxes = [Box(60, 120, 0, 150), Box(360, 120, 0, 150)]
        pixels, _ = composed(samples, number, (640, 480), boxes, random.Random(number))
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=90)
        yield f"{number}.jpg", out.getvalue()
