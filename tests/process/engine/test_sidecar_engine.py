"""XMP is read in a sandboxed engine: whatever a sidecar does to it, the others are read and the agent goes on."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL.Image
import psutil
import pytest
import pytest_asyncio

from agent.domain.errors import EngineStartFailed, XmpError, XmpMalformed, XmpTooLarge, XmpUnreadable
from agent.domain.face import Box
from agent.domain.regions import NamedBox, Reading
from agent.features.people.sidecars.sidecar_store import Sidecars
from agent.inference.engine import xmp_calls
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.pool import EnginePool
from agent.infrastructure.core.settings import EngineSettings
from tests.support import hostile_xmp
from tests.support.xmp_packets import DIGIKAM

WORKER = [sys.executable, "-c", "from agent.inference.engine.engine_worker import main; raise SystemExit(main())"]
SIZE = (400, 300)
MakePool = Callable[[list[str]], EnginePool]


@pytest_asyncio.fixture
async def make_pool(tmp_path: Path) -> AsyncIterator[MakePool]:
    pools: list[EnginePool] = []

    def make(command: list[str]) -> EnginePool:
        settings = EngineSettings(workers=1, device="CPU")
        pools.append(EnginePool(settings, {}, ComputeSetup(converted=tmp_path / "converted", cache=tmp_path / "cache"), command=command))
        return pools[-1]

    yield make
    for pool in pools:
        await pool.close()


def photos(folder: Path, count: int) -> list[Path]:
    """Photos with a sidecar each that names them by their number."""
    made = []
    for number in range(count):
        made.append(folder / f"{number}.jpg")
        PIL.Image.new("RGB", SIZE).save(made[-1])
        hostile_xmp.put_beside(made[-1], DIGIKAM.replace("Anna", f"Anna {number}").encode())
    return made


def first_names(found: list[Reading | XmpError]) -> list[str | type[XmpError]]:
    return [type(each) if isinstance(each, XmpError) else each.regions.items[0].name for each in found]


@contextmanager
def limit(call: object, seconds: float) -> Iterator[None]:
    before = call.limit  # type: ignore[attr-defined]
    object.__setattr__(call, "limit", seconds)
    try:
        yield
    finally:
        object.__setattr__(call, "limit", before)


async def test_names_of_many_photos_are_read_in_the_sandbox_with_a_few_calls(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(WORKER)
    asked: list[str] = []

    async def ask(call, request, files=()):  # type: ignore[no-untyped-def]
        asked.append(call.name)
        return await pool.ask(call, request, files)

    found = await Sidecars(ask).read(photos(tmp_path, 40))
    assert first_names(found) == [f"Anna {number}" for number in range(40)]
    assert asked == ["read_names"] * 3
    assert pool.stats()[0].pid != os.getpid()


async def test_names_are_written_and_forgotten_by_the_engine(make_pool: MakePool, tmp_path: Path) -> None:
    sidecars = Sidecars(make_pool(WORKER).ask)
    [photo] = photos(tmp_path, 1)
    written = await sidecars.write(photo, SIZE, [NamedBox("Mei", Box(190, 200, 40, 40))])
    assert written.changes == 1
    [found] = await sidecars.read([photo])
    assert isinstance(found, Reading) and [each.name for each in found.regions.items] == ["Anna 0", "", "Rex", "Mei"]
    assert (await sidecars.forget(photo, ["Mei"])).changes == 1
    assert photo.with_name("0.jpg.xmp").read_text(encoding="utf-8") == DIGIKAM.replace("Anna", "Anna 0")


async def test_hostile_sidecars_are_each_refused_and_cost_the_engine_nothing(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(WORKER)
    all_photos = photos(tmp_path, 3 * len(hostile_xmp.SIDECARS))
    for photo, data in zip(all_photos[::3], hostile_xmp.SIDECARS.values(), strict=True):
        hostile_xmp.put_beside(photo, data)
    found = first_names(await Sidecars(pool.ask).read(all_photos))
    refused = dict(zip(hostile_xmp.SIDECARS, found[::3], strict=True))
    assert refused == dict.fromkeys(hostile_xmp.SIDECARS, XmpMalformed) | dict.fromkeys(("large", "elements", "text"), XmpTooLarge)
    assert [name for at, name in enumerate(found) if at % 3] == [f"Anna {number}" for number in range(len(all_photos)) if number % 3]
    assert pool.restarts == 0


@pytest.mark.parametrize("mark", [hostile_xmp.HANGS, hostile_xmp.CRASHES])
async def test_what_the_engine_hangs_or_crashes_on_is_unreadable_and_the_engine_is_replaced(
    mark: str, make_pool: MakePool, tmp_path: Path
) -> None:
    pool = make_pool(hostile_xmp.COMMAND)
    sidecars = Sidecars(pool.ask)
    some = photos(tmp_path, 6)
    await sidecars.read(some[:1])
    [first] = pool.stats()
    path = hostile_xmp.put_beside(some[4], (mark + DIGIKAM).encode())
    with limit(xmp_calls.READ_NAMES, 2.0), limit(xmp_calls.WRITE_NAMES, 2.0):
        found = first_names(await sidecars.read(some))
        assert found == ["Anna 0", "Anna 1", "Anna 2", "Anna 3", XmpUnreadable, "Anna 5"]
        assert not psutil.pid_exists(first.pid)
        assert pool.restarts == 2  # together with the others, and alone; then no more
        with pytest.raises(XmpUnreadable):
            await sidecars.write(some[4], SIZE, [NamedBox("Mei", Box(190, 200, 40, 40))])
    assert path.read_bytes() == (mark + DIGIKAM).encode()
    assert first_names(await sidecars.read(some[5:])) == ["Anna 5"]


FAKE = """
import sys, json, os
for line in sys.stdin:
    r = json.loads(line)
    body = {"device": "CPU", "precision": "f32", "pid": os.getpid()} if r["op"] == "hello" else json.loads(%r)
    print(json.dumps({"id": r["id"], "body": body}), flush=True)
"""
READING = '{"regions": {"items": [], "applied_to": null}, "origin": %s, "passed_over": [], "orientation": %d}'


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '[{"reading": null, "fault": "store.busy"}]',
        '[{"reading": %s, "fault": null}]' % (READING % ('"short"', 1)),
        '[{"reading": %s, "fault": null}]' % (READING % ('"long"', 9)),
        '[{"reading": 7, "fault": null}]',
    ],
)
async def test_an_answer_that_cannot_be_is_not_believed(body: str, make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool([sys.executable, "-S", "-c", FAKE % body])
    assert first_names(await Sidecars(pool.ask).read(photos(tmp_path, 1))) == [XmpUnreadable]
    assert pool.restarts == 1


async def test_without_an_engine_no_sidecar_is_called_unreadable(make_pool: MakePool, tmp_path: Path) -> None:
    sidecars = Sidecars(make_pool([sys.executable, "-c", "raise SystemExit(1)"]).ask)
    with pytest.raises(EngineStartFailed):
        await sidecars.read(photos(tmp_path, 2))
