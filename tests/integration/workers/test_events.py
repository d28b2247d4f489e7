"""What one process does is known to the others: events, names, settings."""

import asyncio
from collections.abc import Callable

import pytest

from agent.core.bus import Bus
from agent.core.settings import Settings
from agent.domain.edits import NameFacesEdit
from agent.domain.errors import StoreError
from agent.domain.events import ImageIndexed, Recorded
from agent.domain.image import Recipe
from agent.domain.jobs import JobState, Priority
from agent.main.app import App
from agent.workers.relay import EventQueries, EventRelay, libpq_address
from tests.integration.workers.conftest import Team
from tests.world import analysis

pytestmark = pytest.mark.timeout(120)
RECOGNISE = Settings.model_validate({"recognition": {"enabled": True}, "consent": {"required": "never"}})


def indexed(events: list[Recorded]) -> list[int]:
    return [each.event.place_id for each in events if isinstance(each.event, ImageIndexed)]


async def until(reached: Callable[[], bool]) -> None:
    while True:
        if reached():
            return
        await asyncio.sleep(0.02)


async def test_photos_analysed_by_a_worker_are_announced_here_in_order_and_once(team: Team) -> None:
    happened: list[Recorded] = []
    async with team.server() as app:
        with app.bus.listening(happened.append):
            await team.start("one")
            team.photos(30)
            app.indexer.wake()
            await until(lambda: len(indexed(happened)) == 30)
            team.photos(5, folder="more")
            app.indexer.wake()
            await until(lambda: len(indexed(happened)) == 35)
    assert len({each.id for each in happened}) == len(happened)
    assert [each.id for each in happened] == sorted(each.id for each in happened)
    assert len(set(indexed(happened))) == 35


async def test_events_missed_while_nobody_could_listen_arrive_afterwards(team: Team) -> None:
    heard: list[Recorded] = []
    bus = Bus()
    relay = EventRelay(libpq_address(team.url), EventQueries(team.opened_again()), bus)
    with bus.listening(heard.append):
        running = asyncio.create_task(relay.run())
        await relay.ready.wait()
        team.photos(3)
        await done_here(team, 1)
        await until(lambda: len(indexed(heard)) == 1)
        await asyncio.to_thread(team.lock_out)
        await asyncio.to_thread(team.let_in)
        await done_here(team, 2)
        await until(lambda: len(indexed(heard)) == 3)
        running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def done_here(team: Team, count: int) -> None:
    """Analyse some in this process."""
    jobs, _ = await asyncio.to_thread(team.library.lease, count, now=team.now(), until=team.later())
    for job in jobs:
        found = analysis(job.path.encode(), Recipe("centerface-2"))
        await asyncio.to_thread(team.library.commit, job, found, now=team.now())


async def test_a_name_given_at_the_server_is_known_to_workers_and_to_photos_they_analyse_next(team: Team) -> None:
    """The stand-ins for the engine and the matcher take two faces for one person's if their photos begin with the same letter."""
    team.settings = RECOGNISE
    async with team.server() as app:
        await team.start("one")
        [first] = team.photos(1, folder="first", content="alike")
        app.indexer.wake()
        await team.until_done(1)
        person = await _name(app, team, first)
        [second] = team.photos(1, folder="second", content="another of them")
        app.indexer.wake()
        await team.until_done(2)
        await team.until(lambda: team.people_on(second) == {person})
        assert team.people_on(first) == {person}


async def test_faces_that_a_worker_found_are_named_with_the_others(team: Team) -> None:
    """Those of photos that it analysed after this process had loaded all prints."""
    team.settings = RECOGNISE
    async with team.server() as app:
        await team.start("one")
        paths = team.photos(1, folder="first", content="a")
        app.indexer.wake()
        await team.until_done(1)
        await _name(app, team, paths[0])  # the matcher is loaded from here on
        [lone, other] = [team.photos(1, folder=name, content=f"b{name}")[0] for name in ("x", "y")]
        app.indexer.wake()
        await team.until_done(3)
        person = await _name(app, team, lone)
        await team.until(lambda: team.people_on(other) == {person})


async def _name(app: App, team: Team, path: str) -> int:
    place = await asyncio.to_thread(team.library.place, path)
    assert place is not None and place.image_id is not None
    image = await asyncio.to_thread(team.library.image, place.image_id)
    assert image is not None
    step = await app.people.edit(NameFacesEdit(face_ids=(image.faces[0].id,), name=f"Person {place.image_id}"))
    assert step.person_id is not None
    return step.person_id


async def test_workers_follow_the_servers_settings_not_their_own(team: Team) -> None:
    team.settings = RECOGNISE
    async with team.server() as app:
        await team.start("one")  # its own settings have recognition off
        team.photos(20)
        app.indexer.wake()
        await team.until_done(20)
        assert team.prints() == 20
        await app.apply(Settings())
        assert team.prints() == 0
        team.photos(20, folder="later")
        app.indexer.wake()
        await team.until_done(40)
        assert team.prints() == 0


async def test_nothing_is_lost_while_the_database_is_gone(team: Team) -> None:
    team.photos(60)
    async with team.server() as app:
        workers = [await team.start(name, pause=0.05) for name in ("one", "two")]
        await team.until(lambda: team.done() >= 10)
        await asyncio.to_thread(team.lock_out)
        await until(lambda: isinstance(app.indexer.problem, StoreError))
        await asyncio.to_thread(team.let_in)
        app.indexer.mended()
        await team.until_done(60)
        team.check_each_once(60)
        assert [worker.returncode for worker in workers] == [None, None]


async def test_a_photo_that_became_urgent_leaves_its_batch(team: Team) -> None:
    paths = team.photos(30, folder="held", priority=Priority.BACKLOG)
    async with team.server() as app:
        await team.start("one")
        await team.until(lambda: team.states().get(JobState.LEASED, 0) == 4)
        team.note(paths[-1], Priority.ASKED)
        app.indexer.wake()
        await team.until(lambda: team.batch_queue_of(paths[-1]) == "asked")
        (team.folder / "held" / "go").touch()
        await team.until_done(30)
        team.check_each_once(30)
