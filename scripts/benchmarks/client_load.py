"""Members who read, for the group `clients`: their order is JSON on standard input; prints the milliseconds of each kind of request."""

import asyncio
import contextlib
import json
import random
import ssl
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

import httpx

PACE_S, WARM_S = 1.0, 5.0
SHARES = {"thumbnail": 0.6, "list": 0.2, "person": 0.08, "search": 0.08, "index": 0.04}
PEOPLE, PHOTOS_SEEN, FOLDERS = 1_000, 3_000, 60  # people, and photos that have a thumbnail; what a search is about: a folder or a name


@dataclass(slots=True)
class Taken:
    """Milliseconds by kind."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


async def main() -> None:
    order = json.load(sys.stdin)
    trust = ssl.create_default_context(cafile=order["authority"])
    taken, begins = Taken(), time.monotonic() + WARM_S
    async with asyncio.TaskGroup() as tasks:
        for number, key in enumerate(order["keys"]):
            tasks.create_task(_member(number, order["address"], trust, key, begins, begins + order["for_s"], taken))
    print(json.dumps(taken.times | {"failed": taken.times["failed"]}))


async def _member(number: int, address: str, trust: ssl.SSLContext, key: str, begins: float, ends: float, taken: Taken) -> None:
    chance = random.Random(number)
    etags: dict[str, str] = {}
    headers = {"authorization": key}
    async with httpx.AsyncClient(base_url=address, verify=trust, trust_env=False, timeout=60, headers=headers) as http:
        await asyncio.sleep(chance.uniform(0, PACE_S))
        async with asyncio.TaskGroup() as tasks:
            while (now := time.monotonic()) < ends:
                kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
                tasks.create_task(_ask(http, kind, _path(kind, chance), etags, now >= begins, taken))
                await asyncio.sleep(PACE_S * chance.uniform(0.5, 1.5))


def _path(kind: str, chance: random.Random) -> str:
    match kind:
        case "thumbnail":
            return f"/api/images/{chance.randint(1, PHOTOS_SEEN)}/thumbnail"
        case "list":
            first = chance.randint(1, 29_000)
            return "/api/images/by-id?ids=" + ",".join(map(str, range(first, first + 60)))
        case "person":
            return f"/api/people/{chance.randint(1, PEOPLE)}"
        case "search":
            text = f"{chance.randrange(FOLDERS):04}" if chance.random() < 0.5 else f"IMG_{chance.randrange(30_000):06}"
            return f"/api/library?packed=true&text={text}"
        case _:
            return "/api/library?packed=true"


async def _ask(http: httpx.AsyncClient, kind: str, path: str, etags: dict[str, str], counts: bool, taken: Taken) -> None:
    known = {"if-none-match": etags[path]} if path in etags else {}
    began = time.perf_counter()
    right = False
    with contextlib.suppress(httpx.HTTPError):
        answer = await http.get(path, headers=known)
        right = answer.status_code in (200, 304)
        if right and kind == "index":
            etags[path] = answer.headers["etag"]
    if counts:
        taken.times[kind if right else "failed"].append(1_000 * (time.perf_counter() - began))


if __name__ == "__main__":
    asyncio.run(main())
