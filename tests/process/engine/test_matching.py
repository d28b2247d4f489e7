"""The matcher's process: what a kill, a hang or rubbish comes to, that no change is lost, and that nothing is left behind."""

import asyncio
import base64
import os
import sys
import threading
from array import array
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import psutil
import pytest
import pytest_asyncio

from agent.app.memory_limits import guarded_matcher
from agent.domain.embeddings import ClusterInput, ClusterInputs, FaceEmbedding, numbers
from agent.domain.errors import (
    AgentError,
    EngineBadAnswer,
    EngineCrashed,
    EngineKilled,
    EngineStartFailed,
    EngineTimeout,
    ProcessMemory,
    StoreError,
)
from agent.inference.engine.matcher import MatcherProcess, ReadPrints
from agent.inference.engine.matcher_port import Query
from agent.infrastructure.core.memory_guard import MB, MemoryGuard
from agent.infrastructure.core.program_settings import MemorySettings

WORKER = [sys.executable, "-c", "from agent.inference.engine.matcher_worker import main; raise SystemExit(main())"]
# Answers `hello`, takes in what the library holds, then does what follows for every question `r`.
FAKE = """
import sys, json, os, time
def say(r, **rest): print(json.dumps({"id": r["id"], **rest}), flush=True)
for line in sys.stdin:
    r = json.loads(line)
    if r["op"] == "hello":
        say(r, body={"pid": os.getpid()})
        continue
    if r["op"] == "put":
        say(r, body=True)
        continue
"""
ASKED = Query(faces=(1,))

MakeMatcher = Callable[..., MatcherProcess]


def prints(*faces: int) -> list[FaceEmbedding]:
    vectors = {face: np.random.default_rng(face).standard_normal(192) for face in faces}
    return [FaceEmbedding(face, (vector / np.linalg.norm(vector)).astype("<f4").tobytes()) for face, vector in vectors.items()]


@pytest_asyncio.fixture
async def make_matcher() -> AsyncIterator[MakeMatcher]:
    made: list[MatcherProcess] = []

    def make(read: ReadPrints | None = None, command: Sequence[str] = WORKER, **limits: float) -> MatcherProcess:
        made.append(MatcherProcess(read or (lambda: iter([prints(1, 2, 3)])), command=command, **limits))
        return made[-1]

    yield make
    for matcher in made:
        await matcher.close()


def fake(behaviour: str) -> list[str]:
    return [sys.executable, "-S", "-c", FAKE + "".join(f"    {line}\n" for line in behaviour.splitlines())]


def pid_of(matcher: MatcherProcess) -> int:
    assert matcher.hello is not None
    return matcher.hello.pid


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


async def held(matcher: MatcherProcess) -> list[int]:
    """Ids of all faces it knows."""
    (found,) = await matcher.near(Query((prints(999)[0].embedding,)), within=2.0, limit=1000)
    return sorted(face for face, _ in found)


async def failure_of(matcher: MatcherProcess) -> AgentError:
    with pytest.raises(AgentError) as caught:
        await matcher.near(ASKED, within=2.0, limit=5)
    return caught.value


# -- the real worker -------------------------------------------------------------------------------------------------------------
@pytest.mark.smoke
async def test_it_holds_the_library_in_another_process_which_is_walled_in(make_matcher: MakeMatcher) -> None:
    matcher = make_matcher()
    assert await held(matcher) == [1, 2, 3]
    assert matcher.hello is not None and matcher.hello.pid != os.getpid() and matcher.memory > 0
    assert sys.platform != "linux" or (matcher.hello.wall.network and matcher.hello.wall.programs)


async def test_the_agents_side_stays_light() -> None:
    look = "import sys, agent.inference.engine.matcher; print(*{'cv2', 'numpy', 'openvino', 'PIL', 'httpx'} & set(sys.modules))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", look, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert (process.returncode, out.split()) == (0, [])


async def test_the_program_itself_is_the_matcher_when_told_so(make_matcher: MakeMatcher) -> None:
    assert await held(make_matcher(command=[sys.executable, "-m", "agent", "match-worker"])) == [1, 2, 3]


async def test_after_a_kill_in_the_middle_the_next_question_is_answered(make_matcher: MakeMatcher) -> None:
    matcher = make_matcher()
    before = await matcher.near(ASKED, within=2.0, limit=5)
    first = pid_of(matcher)
    running = asyncio.create_task(matcher.near(ASKED, within=2.0, limit=5))
    psutil.Process(first).suspend()  # whatever it is asked now, it is in the middle of it
    await asyncio.sleep(0.05)
    psutil.Process(first).kill()
    with pytest.raises(EngineKilled):
        await running
    assert await matcher.near(ASKED, within=2.0, limit=5) == before
    assert pid_of(matcher) != first


async def test_a_change_that_meets_a_dead_process_is_read_with_the_rest(make_matcher: MakeMatcher) -> None:
    faces = [1, 2, 3]
    matcher = make_matcher(lambda: iter([prints(*faces)]))
    assert await held(matcher) == [1, 2, 3]
    psutil.Process(pid_of(matcher)).kill()
    faces.append(4)
    await matcher.put(prints(4))
    assert await held(matcher) == [1, 2, 3, 4]


async def test_one_that_grows_too_large_is_replaced_after_its_question_and_no_face_is_lost(make_matcher: MakeMatcher) -> None:
    library = prints(1, 2, 3)
    matcher = make_matcher(lambda: iter([library]))
    assert await held(matcher) == [1, 2, 3]
    first, small = pid_of(matcher), matcher.memory // MB
    # The faces' own memory is allowed besides: here it stands for what a process takes that it shouldn't.
    guarded = replace(guarded_matcher(matcher), besides=lambda: 0)
    guard = MemoryGuard(lambda: MemorySettings(matcher_mb=small + 10), lambda: 0.0, [guarded])
    await guard.look()
    assert guard.warning.value is None
    more = prints(*range(4, 30_000))
    library += more
    await matcher.put(more)
    asked = asyncio.create_task(matcher.near(Query(faces=tuple(range(1, 101))), within=2.0, limit=5))
    await guard.look()
    assert len(await asked) == 100, "its question is answered"
    assert isinstance(guard.warning.value, ProcessMemory) and guard.recoveries == 1
    assert len(await held(matcher)) == 1000 and pid_of(matcher) != first and matcher.faces == len(library)


async def test_one_that_computes_clusters_is_not_replaced_meanwhile(make_matcher: MakeMatcher) -> None:
    matcher = make_matcher()
    grouping = asyncio.create_task(matcher.group(ClusterInputs.of(ClusterInput(face, face) for face in (1, 2, 3))))
    await until(lambda: matcher.pid is not None)
    assert await matcher.renew() is False
    assert len(numbers(await grouping)) == 3
    assert await matcher.renew() is True


async def test_changes_made_while_the_library_is_read_are_not_lost(make_matcher: MakeMatcher) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> Iterator[list[FaceEmbedding]]:
        yield prints(1, 2)
        begun.set()
        assert go_on.wait(60)
        yield prints(3, 4)

    matcher = make_matcher(slowly)
    asked = asyncio.create_task(held(matcher))
    await until(begun.is_set)
    changes = [asyncio.create_task(matcher.drop([1, 4])), asyncio.create_task(matcher.put(prints(5)))]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(asked, *changes)
    assert await held(matcher) == [2, 3, 5]


async def test_a_change_nobody_waits_for_any_more_is_not_lost_either(make_matcher: MakeMatcher) -> None:
    faces = [1, 2]
    matcher = make_matcher(lambda: iter([prints(*faces)]))
    assert await held(matcher) == [1, 2]
    async with matcher._turn:
        faces.append(3)
        change = asyncio.create_task(matcher.put(prints(3)))
        await asyncio.sleep(0)
        change.cancel()
        with pytest.raises(asyncio.CancelledError):
            await change
    assert await held(matcher) == [1, 2, 3]


async def test_a_library_that_can_not_be_read_says_so_and_is_tried_again(make_matcher: MakeMatcher) -> None:
    broken = [True]

    def reading() -> Iterator[list[FaceEmbedding]]:
        yield prints(1)
        if broken.pop():
            raise StoreError
        yield prints(2)

    matcher = make_matcher(reading)
    with pytest.raises(StoreError):
        await held(matcher)
    assert matcher.hello is None
    broken.append(False)
    assert await held(matcher) == [1, 2]


async def test_told_to_forget_it_ends_at_once_even_while_it_reads(make_matcher: MakeMatcher) -> None:
    matcher = make_matcher()
    await held(matcher)
    pid = pid_of(matcher)
    matcher.forget()
    await until(lambda: not psutil.pid_exists(pid))
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> Iterator[list[FaceEmbedding]]:
        begun.set()
        assert go_on.wait(60)
        yield prints(1)

    reading = make_matcher(slowly)
    asked = asyncio.create_task(held(reading))
    await until(begun.is_set)
    reading.forget()
    go_on.set()
    with pytest.raises(EngineKilled):
        await asked
    assert reading.hello is None


async def test_an_idle_process_ends_and_gives_its_memory_back(make_matcher: MakeMatcher) -> None:
    matcher = make_matcher(idle_s=0.2)
    await held(matcher)
    pid = pid_of(matcher)
    await until(lambda: not psutil.pid_exists(pid))
    assert matcher.memory == 0
    assert await held(matcher) == [1, 2, 3]


async def test_closed_it_answers_no_more(make_matcher: MakeMatcher) -> None:
    matcher = make_matcher()
    await held(matcher)
    pid = pid_of(matcher)
    await matcher.close()
    assert not psutil.pid_exists(pid)
    assert isinstance(await failure_of(matcher), EngineKilled)


# -- what can go wrong -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "behaviour",
    [
        "print('rubbish', flush=True)",
        "say({'id': r['id'] + 1}, body=[[]])",
        "say(r)",
        "say(r, body=[[[1, 'near']]])",
        # Sound in form, but no answer to what was asked.
        "say(r, body=[])",
        "say(r, body=[[[-1, 0.5]]])",
        "say(r, body=[[[1, 3.5]]])",
        "say(r, body=[[[n + 1, 0.5] for n in range(6)]])",
    ],
)
async def test_rubbish_is_named_and_ends_the_process(make_matcher: MakeMatcher, behaviour: str) -> None:
    matcher = make_matcher(command=fake(behaviour))
    assert isinstance(await failure_of(matcher), EngineBadAnswer)
    assert matcher.hello is None


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "[[]] * 2",
        "[[dict(person_id=0, distance=0.5, agree=1, references=1)]]",
        "[[dict(person_id=1, distance=0.5, agree=2, references=1)]]",
    ],
)
async def test_people_nobody_can_be_are_not_believed(make_matcher: MakeMatcher, body: str) -> None:
    matcher = make_matcher(command=fake(f"say(r, body={body})"))
    with pytest.raises(EngineBadAnswer):
        await matcher.identify(ASKED, probable=1.0)


async def test_a_question_that_hangs_is_given_up_and_its_process_ended(make_matcher: MakeMatcher) -> None:
    matcher = make_matcher(command=fake("time.sleep(600)"), time_limit_s=1)
    error = await failure_of(matcher)
    assert isinstance(error, EngineTimeout) and error.params == {"seconds": 1}
    assert matcher.hello is None


async def test_a_crash_is_told_from_a_kill(make_matcher: MakeMatcher) -> None:
    number = 1 if sys.platform == "win32" else 9  # as the Task Manager gives, and SIGKILL
    assert isinstance(await failure_of(make_matcher(command=fake(f"os.kill(os.getpid(), {number})"))), EngineKilled)
    assert isinstance(await failure_of(make_matcher(command=fake("sys.exit(3)"))), EngineCrashed)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
async def test_a_process_killed_while_it_starts_is_not_called_one_that_can_not_start(make_matcher: MakeMatcher) -> None:
    killed = [sys.executable, "-S", "-c", "import os; os.kill(os.getpid(), 9)"]
    assert isinstance(await failure_of(make_matcher(command=killed)), EngineKilled)


@pytest.mark.parametrize("command", [["/no/such/program"], [sys.executable, "-S", "-c", "raise SystemExit(1)"]])
async def test_a_program_that_does_not_start_is_named(make_matcher: MakeMatcher, command: list[str]) -> None:
    assert isinstance(await failure_of(make_matcher(command=command)), EngineStartFailed)


async def test_everything_else_is_answered_while_groups_are_formed(make_matcher: MakeMatcher) -> None:
    two = base64.b64encode(array("q", [2]).tobytes()).decode()
    looks = "state = globals().setdefault('asked', [])"
    grouped = f"say(r, body={{'groups': {two!r} if 'near' in state else None}})"
    matcher = make_matcher(
        command=fake(f"""{looks}
state.append(r["op"])
if r["op"] == "group": say(r, body=True)
elif r["op"] == "grouped": {grouped}
else: say(r, body=[[]])""")
    )
    forming = asyncio.create_task(matcher.group(ClusterInputs.of([ClusterInput(1, 1)])))
    await asyncio.sleep(0)
    assert await matcher.near(ASKED, within=2.0, limit=5) == [[]]
    assert [*numbers(await forming)] == [2]


async def test_groups_of_fewer_faces_than_were_sent_are_a_bad_answer(make_matcher: MakeMatcher) -> None:
    one = base64.b64encode(array("q", [7]).tobytes()).decode()
    matcher = make_matcher(command=fake(f"say(r, body=True if r['op'] == 'group' else {{'groups': {one!r}}})"))
    with pytest.raises(EngineBadAnswer):
        await matcher.group(ClusterInputs.of([ClusterInput(1, 1), ClusterInput(2, 2)]))
    assert matcher.pid is None


async def test_groups_that_were_being_formed_by_a_process_that_ended_are_not_waited_for(make_matcher: MakeMatcher) -> None:
    matcher = make_matcher(command=fake("say(r, body=True if r['op'] == 'group' else {'groups': None})"))
    forming = asyncio.create_task(matcher.group(ClusterInputs.of([ClusterInput(1, 1)])))
    await until(lambda: matcher._client is not None and matcher._client.calls > 4)
    matcher.forget()
    with pytest.raises(EngineKilled):
        await forming


async def test_groups_are_told_by_their_least_alike_faces_and_blurred_ones_do_not_count(make_matcher: MakeMatcher) -> None:
    one, other = prints(1, 9)
    known = [FaceEmbedding(face, one.embedding) for face in (1, 2, 3)] + [
        FaceEmbedding(4, other.embedding),
        FaceEmbedding(5, prints(7)[0].embedding, trust=0),
    ]
    matcher = make_matcher(lambda: iter([known]))
    mixed, alike, gone = await matcher.spread([(1, 2, 3, 4, 5), (1, 2, 3), (8,)], most=2)
    assert 4 in mixed.least_alike and len(mixed.least_alike) == 2 and mixed.other_half == (4,) and mixed.apart > 1
    assert alike.apart == pytest.approx(0, abs=0.05) and set(alike.least_alike) <= {1, 2, 3}
    assert (gone.least_alike, gone.other_half, gone.apart) == ((), (), 0.0)
