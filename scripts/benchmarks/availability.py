"""The group `availability`: a team server of two of everything, under load, while its parts are killed at random.

Needs Linux, root, and Debian's haproxy, patroni, python3-etcd and etcd-server. Times are by the time of day, as members meet them.
"""

import asyncio
import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from agent.domain.errors import AgentError
from agent.domain.jobs import JobState
from agent.features.models.model_store import ModelStore
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.schema import event, identity, person
from scripts.benchmarks.availability_cluster import Cluster, missing
from scripts.benchmarks.availability_figures import (
    Answer,
    Fault,
    Outcome,
    down_share,
    of_fault,
    outage_s,
    share_at_once,
    share_right,
    share_slow,
)
from scripts.benchmarks.availability_hosts import Network, network
from scripts.benchmarks.availability_load import Load
from scripts.benchmarks.availability_programs import SETTINGS, api, until
from scripts.benchmarks.rows import Row, at_least, at_most
from scripts.benchmarks.stage import fetched
from scripts.program import new_home

API, WORKER, BALANCER, PRIMARY, PRIMARY_HOST = "api", "worker", "balancer", "primary", "primary_host"
GOALS_S = {API: 1.0, WORKER: 5.0, BALANCER: 1.0, PRIMARY: 30.0, PRIMARY_HOST: 30.0}
ANSWERED, LESS = 99.9, 70.0  # percent
SMALL_S, LONG_S, SEED = 90.0, 600.0, 1
BY_HAND_S = 60.0  # assumed: until an operator starts a single process again
STARTS, FIRST, SLOW_S = 3, 4, 1.0
SMALL_CALM_S, LONG_CALM_S = (1.0, 5.0), (5.0, 25.0)  # between two faults, once all is whole again
OFTEN = (API, WORKER, BALANCER, PRIMARY)


@dataclass(frozen=True, slots=True)
class Stored:
    """What was found at the end."""

    lost: int
    doubled: int
    names_lost: int


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows. Raises RuntimeError if the machine lacks something."""
    if lacks := missing():
        raise RuntimeError(f"availability needs {lacks}")
    samples, models = fetched()
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL isn't root
        with network() as net:
            yield from asyncio.run(_measured(folder, net, models, samples, long=long))


async def _measured(folder: Path, net: Network, models: ModelStore, samples: Path, *, long: bool) -> list[Row]:
    starts = await _starts(folder, net, models)
    cluster = Cluster(folder, net, models)
    try:
        await cluster.start()
        load = Load(cluster.address, cluster.trust, await cluster.sign_in(), samples, SEED)
        await load.first(FIRST)
        over, began = asyncio.Event(), time.monotonic()
        working = asyncio.create_task(load.run(over))
        faults = await _killed(cluster, random.Random(SEED), began + (LONG_S if long else SMALL_S), LONG_CALM_S if long else SMALL_CALM_S)
        over.set()
        ended = time.monotonic()
        await working
        return [*_of_answers(load, faults), *_of_one(load.answers, faults, starts, began, ended), *await _of_stored(cluster, load)]
    finally:
        await cluster.end()


async def _starts(folder: Path, net: Network, models: ModelStore) -> list[float]:
    """Return how long a single process with its own database is away if it is started again the moment it was killed."""
    new_home(folder / "home-of-one", models, SETTINGS)
    one = api(net.host("one"), folder / "home-of-one", folder, 0)
    one.unit.start()
    seconds = []
    try:
        for _ in range(STARTS):
            await until(one.ready, "the single process")
            began = time.monotonic()
            one.unit.kill()
            await until(one.ready, "its end", is_so=False)
            await until(one.ready, "the single process")
            seconds.append(time.monotonic() - began)
    finally:
        await one.unit.end()
    return seconds


# -- killing ---------------------------------------------------------------------------------------------------------------------
async def _killed(cluster: Cluster, chance: random.Random, until_s: float, calm_s: tuple[float, float]) -> list[Fault]:
    """Kill each kind once in a random order, then any process, at least until a time; the next one when all is whole again."""
    left = list(GOALS_S)
    chance.shuffle(left)
    faults: list[Fault] = []
    while True:
        await until(cluster.whole, "the cluster")
        await asyncio.sleep(chance.uniform(*calm_s))
        if not left and time.monotonic() >= until_s:
            return faults
        kind = left.pop() if left else chance.choice(OFTEN)
        faults.append(await _kill(cluster, kind, chance))
        print(f"  {kind} whole after {faults[-1].whole_at - faults[-1].at:.2f} s", file=sys.stderr, flush=True)


async def _kill(cluster: Cluster, kind: str, chance: random.Random) -> Fault:
    chosen = chance.choice(cluster.apis)
    at, since = time.monotonic(), datetime.now(UTC)
    match kind:
        case "api":
            chosen.unit.kill()
            await until(chosen.ready, "its end", is_so=False)
            await until(chosen.ready, kind)
        case "worker":
            if (worker := chosen.worker()) is not None:
                worker.kill()
            await until(lambda: asyncio.to_thread(lambda: cluster.workers_since(since) > 0), kind)
        case "balancer":
            earlier = cluster.balancer.pid
            cluster.balancer.kill()
            await until(lambda: cluster.balancer.runs_anew(earlier), "its end")  # its socket outlives it
            await until(cluster.balanced, kind)
        case _:
            [primary] = [each for each in cluster.members if await asyncio.to_thread(each.leads)]
            at = time.monotonic()
            if kind == PRIMARY_HOST:
                primary.unit.allowed.clear()
                primary.unit.kill()
            primary.kill_postgres()
            await until(cluster.writable, "its end", is_so=False)
            await until(cluster.writable, kind)
            primary.unit.allowed.set()
    return Fault(kind, at, time.monotonic())


# -- figures ---------------------------------------------------------------------------------------------------------------------
def _of_answers(load: Load, faults: list[Fault]) -> Iterator[Row]:
    answers = load.answers
    split = [of_fault(answers, faults, number) for number in range(len(faults))]
    failed = [sum(each.outcome is not Outcome.RIGHT for each in part) for part in split]
    outages = [outage_s(part, fault.at) for part, fault in zip(split, faults, strict=True)]
    for number, (fault, count, outage) in enumerate(zip(faults, failed, outages, strict=True)):
        until_s = faults[number + 1].at if number + 1 < len(faults) else float("inf")
        why = [f"{why} after {at - fault.at:.1f} s" for at, why in load.refusals if fault.at <= at < until_s]
        print(
            f"  {fault.kind}: {count} requests failed, for {outage:.2f} s: {', '.join([*why[:4], *why[4:][-1:]])}",
            file=sys.stderr,
            flush=True,
        )
    by_kind = Counter((each.kind, each.outcome.value) for each in answers)
    print(f"  {dict(sorted(by_kind.items()))}", file=sys.stderr, flush=True)
    yield at_least("availability_answered_percent", share_right(answers), ANSWERED, [len(answers), sum(failed)])
    yield at_least("availability_at_once_percent", share_at_once(answers), ANSWERED, [len(answers)])
    print(f"  {share_slow(answers, SLOW_S):.1f} % took longer than {SLOW_S:.0f} s", file=sys.stderr, flush=True)
    of_primary = {id(each) for part, fault in zip(split, faults, strict=True) if fault.kind in (PRIMARY, PRIMARY_HOST) for each in part}
    others = [each for each in answers if id(each) not in of_primary]
    yield at_least("availability_but_primary_percent", share_right(others), ANSWERED, [len(others)])
    yield at_most("availability_wrong", sum(each.outcome is Outcome.WRONG for each in answers), 0, [len(answers)])
    for kind, goal in GOALS_S.items():
        # Members don't notice a worker's end: photos wait.
        chosen = [
            fault.whole_at - fault.at if kind == WORKER else outage
            for fault, outage in zip(faults, outages, strict=True)
            if fault.kind == kind
        ]
        if chosen:
            yield at_most(f"availability_{kind}_s", statistics.mean(chosen), goal, chosen)


def _of_one(answers: list[Answer], faults: list[Fault], starts: list[float], began: float, ended: float) -> Iterator[Row]:
    """Against one process with its own database and nothing that starts it again; it has no balancer, and a worker's end isn't noticed."""
    ending = [each.at for each in faults if each.kind in (API, PRIMARY, PRIMARY_HOST)]
    start = statistics.mean(starts)
    outages = [outage_s(of_fault(answers, faults, n), each.at) for n, each in enumerate(faults) if each.kind == API]
    yield at_least("availability_api_less_percent", 100 * (1 - statistics.mean(outages) / start), LESS, starts)
    down = down_share(ending, BY_HAND_S + start, began, ended)
    ours = 100 - share_right(answers)
    yield at_least("availability_down_less_percent", 100 * (1 - ours / down), LESS, [ours, down])


async def _of_stored(cluster: Cluster, load: Load) -> list[Row]:
    found = await asyncio.to_thread(_stored, cluster, load)
    photos, names = [len(load.uploaded)], [len(load.named)]
    return [
        at_most("availability_lost_photos", found.lost, 0, photos),
        at_most("availability_doubled_photos", found.doubled, 0, photos),
        at_most("availability_lost_names", found.names_lost, 0, names),
    ]


def _stored(cluster: Cluster, load: Load) -> Stored:
    """Compare what was acknowledged with what is there, once all work is done."""
    database = cluster.library()
    try:
        library = RedactionQueries(database)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(AgentError):
                if not any(count for state, count in library.counts().jobs.items() if state is not JobState.DONE):
                    break
            time.sleep(0.2)
        images = {each.sha256: each for each in library.images(limit=100_000)}
        kind, image_id = (func.json_extract_path_text(event.c.payload, key) for key in ("kind", "image_id"))
        with database.read() as tx:
            analysed = {
                str(key): n for key, n in tx.execute(select(image_id, func.count()).where(kind == "image_indexed").group_by(image_id))
            }
            chosen = select(person.c.name, identity.c.face_id).join(identity, identity.c.person_id == person.c.id)
            named = {row.name: row.face_id for row in tx.execute(chosen.where(identity.c.certainty == "confirmed"))}
        files = Counter(hashlib.sha256(path.read_bytes()).digest() for path in (cluster.paths.data / "uploads").rglob("*.jpg"))
        doubled = sum(len(each.places) != 1 or analysed.get(str(each.id)) != 1 for each in images.values())
        return Stored(
            lost=len(load.uploaded.keys() - images.keys()),
            doubled=doubled + sum(count - 1 for count in files.values()),
            names_lost=sum(named.get(name) != face for name, face in load.named.items()),
        )
    finally:
        database.close()
