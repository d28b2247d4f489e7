"""What one process does is known to the others: events, names, settings."""

import asyncio
from collections.abc import Callable

import pytest

from agent.app.app import App
from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import NameFacesEdit
from agent.domain.errors import StoreError
from agent.domain.events import ImageIndexed, StoredEvent
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.features.consent.queries import ConsentQueries
from agent.features.library.recipes import everything
from agent.features.people.reference_recognition import KnownReferences, ReferenceRecognition
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.bus import Bus
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.addresses import libpq_address
from agent.server.workers.event_relay import EventQueries, EventRelay
from tests.server.workers.conftest import Team
from tests.support.in_process_agent import FakeMatcher, analysis
from tests.support.service_environment import environment

pytestmark = pytest.mark.timeout(120)
RECOGNISE = Settings.model_validate({"recognition": {"enabled": True}, "consent": {"required": "never"}})


def indexed(events: list[StoredEvent]) -> list[int]:
    return [each.event.place_id for each in events if isinstance(each.event, ImageIndexed)]


async def until(reached: Callable[[], bool]) -> None:
    while True:
        if reached():
            return
        await asyncio.sleep(0.02)


async def test_photos_analysed_by_a_worker_are_announced_here_in_order_and_once(team: Team) -> None:
    happened: list[StoredEvent] = []
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
    heard: list[StoredEvent] = []
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


async def test_two_workers_follow_namings_consent_and_forgetting_by_themselves(team: Team) -> None:
    """Each has what a worker has: confirmed faces in memory, over connections of its own; no server's process tells it anything else."""
    recipe = everything(RECOGNISE)

    def face_of(content: bytes) -> int:
        path = f"/photos/{content.decode()}"
        team.library.note_file(FileSeen(path, 1, 1), recipe, priority=Priority.NEW, now=team.now())
        [job], _ = team.library.lease(1, now=team.now(), until=team.later())
        team.library.commit(job, analysis(content, recipe), now=team.now())
        return team.library.images(limit=1)[0].faces[0].id

    async with asyncio.TaskGroup() as tasks:
        running, workers = list[asyncio.Task[None]](), list[ReferenceRecognition]()
        for _ in range(2):
            library = RedactionQueries(team.opened_again())
            references = KnownReferences(library)
            workers.append(ReferenceRecognition(library, references, FakeMatcher(references.read), environment(RECOGNISE)))
            relay = EventRelay(libpq_address(team.url), EventQueries(library.database), Bus())
            relay.arrived.subscribe(workers[-1].noticed)
            running += [tasks.create_task(each) for each in (workers[-1].run(), relay.run())]
            await relay.ready.wait()

        async def until_both_see(content: bytes, person: int | None) -> None:
            """The stand-in for the matcher takes two faces for one person's if their photos begin with the same letter."""
            for each in workers:
                while True:
                    [found] = (await each.identify(analysis(content, recipe))).identities
                    if (found.person_id if found else None) == person:
                        break
                    await asyncio.sleep(0.02)

        faces = [face_of(content) for content in (b"a1", b"b1", b"c1")]
        await until_both_see(b"a2", None)
        ada, bo, cy = (
            team.library.edit(NameFacesEdit(face_ids=(face,), name=name), now=team.now())[0].person_id
            for face, name in zip(faces, ("Ada", "Bo", "Cy"), strict=True)
        )
        assert ada is not None and bo is not None and cy is not None
        for content, person in ((b"a2", ada), (b"b2", bo), (b"c2", cy)):
            await until_both_see(content, person)
        team.library.forget_person(bo, now=team.now(), note="n")
        await until_both_see(b"b2", None)
        no = Consent(purpose=Purpose.RECOGNISE, state=ConsentState.WITHDRAWN, given_on=team.now().date())
        ConsentQueries(team.database).give_consents(cy, [no], now=team.now(), note="n")
        await until_both_see(b"c2", None)
        await until_both_see(b"a2", ada)
        for task in running:
            task.cancel()


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
        await team.until(lambda: len(team.living()) == 2 and team.done() >= 10)  # one that is starting ends without its database
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
