"""The pool with real processes: what a crash, a kill, a hang or rubbish comes to, and that nothing is left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from agent.domain.errors import (
    AgentError,
    EngineBadAnswer,
    EngineCrashed,
    EngineKilled,
    EngineStartFailed,
    EngineTimeout,
    EngineUnavailable,
    ImageMissing,
    ModelMissing,
    ModelWrongHash,
)
from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig, ModelFile
from agent.inference.engine.pool import EnginePool
from agent.infrastructure.core.settings import EngineSettings

WORKER = [sys.executable, "-c", "from agent.inference.engine.engine_worker import main; raise SystemExit(main())"]
DETECT = Recipe("centerface-2")
# Answers `hello`, then does what follows for every other request `r`.
FAKE = """
import sys, json, os, time
def say(r, **rest): print(json.dumps({"id": r["id"], **rest}), flush=True)
for line in sys.stdin:
    r = json.loads(line)
    if r["op"] == "hello":
        say(r, body={"device": "CPU", "precision": "f32", "pid": os.getpid()})
        continue
"""

MakePool = Callable[..., EnginePool]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tasks speak of is there to be opened; what it holds is of no interest."""
    monkeypatch.chdir(tmp_path)
    for name in ("x", "x.jpg", "slow"):
        Path(name).touch()


@pytest_asyncio.fixture
async def make_pool(tmp_path: Path) -> AsyncIterator[MakePool]:
    pools: list[EnginePool] = []

    def make(
        command: list[str], models: dict[str, ModelFile] | None = None, config: EngineConfig | None = None, **settings: object
    ) -> EnginePool:
        pool = EnginePool(
            EngineSettings.model_validate({"workers": 1, **settings}),
            config.models if config else models or {},
            ComputeSetup(
                converted=Path(config.converted) if config else tmp_path / "converted",
                cache=Path(config.cache) if config else tmp_path / "cache",
            ),
            command=command,
        )
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await pool.close()


def fake(behaviour: str) -> list[str]:
    return [sys.executable, "-S", "-c", FAKE + "".join(f"    {line}\n" for line in behaviour.splitlines())]


def pid_of(pool: EnginePool) -> int:
    (process,) = pool.stats()
    return process.pid


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


async def failure_of(pool: EnginePool) -> AgentError:
    with pytest.raises(AgentError) as caught:
        await pool.analyse(Analyse("x.jpg", DETECT))
    return caught.value


# -- the real worker -------------------------------------------------------------------------------------------------------------
@pytest.mark.smoke
async def test_a_photo_is_analysed_in_another_process(make_pool: MakePool, engine_config: EngineConfig, samples_folder: Path) -> None:
    pool = make_pool(WORKER, config=engine_config)
    analysis = await pool.analyse(Analyse(str(samples_folder / "obama.jpg"), DETECT))
    assert len(analysis.faces) == 1
    assert analysis.faces[0].embedding is None
    assert pid_of(pool) != os.getpid()
    assert pool.stats()[0].precision == analysis.precision


async def test_the_engine_says_what_it_runs_on_before_any_task(make_pool: MakePool, engine_config: EngineConfig) -> None:
    pool = make_pool(WORKER, config=engine_config, precision="f32")
    hello = await pool.hello()
    assert (hello.device, hello.precision) == ("CPU", "f32")
    assert [process.pid for process in pool.stats()] == [hello.pid]


async def test_an_error_of_the_worker_keeps_its_name_and_the_process(
    make_pool: MakePool, engine_config: EngineConfig, tmp_path: Path
) -> None:
    pool = make_pool(WORKER, config=engine_config)
    with pytest.raises(ImageMissing):
        await pool.analyse(Analyse(str(tmp_path / "none.jpg"), DETECT))
    first = pid_of(pool)
    with pytest.raises(ModelMissing):
        await pool.analyse(Analyse("x.jpg", Recipe("no-such-1")))
    assert pid_of(pool) == first


async def test_a_missing_or_damaged_model_is_named(make_pool: MakePool, tmp_path: Path) -> None:
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(b"not a model")
    pool = make_pool(
        WORKER,
        models={
            "centerface-2": ModelFile("centerface", str(tmp_path / "nowhere.onnx"), "0" * 64),
            "yunet-1": ModelFile("centerface", str(damaged), "0" * 64),
        },
    )
    with pytest.raises(ModelMissing):
        await pool.analyse(Analyse("x.jpg", DETECT))
    with pytest.raises(ModelWrongHash):
        await pool.analyse(Analyse("x.jpg", Recipe("yunet-1")))


async def test_an_unusable_device_stops_the_start(make_pool: MakePool, engine_config: EngineConfig) -> None:
    pool = make_pool(WORKER, config=engine_config, device="NPU.7")
    assert isinstance(await failure_of(pool), EngineStartFailed)
    assert pool.stats() == []


async def test_a_worker_ends_when_its_agent_does(engine_config: EngineConfig) -> None:
    process = await asyncio.create_subprocess_exec(*WORKER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0


async def test_a_worker_that_hangs_ends_too_when_its_agent_does() -> None:
    hanging = """import time, agent.inference.engine.rpc_worker as serving, agent.inference.engine.engine_worker as worker
serving._LAST_TASK_S = 0.1
worker.EngineWorker.serve = lambda self, message: time.sleep(600)
raise SystemExit(worker.main())"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", hanging, stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"{}\n")
    process.stdin.close()
    assert await process.wait() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
async def test_a_worker_ends_at_once_on_sigterm() -> None:
    process = await asyncio.create_subprocess_exec(*WORKER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b'{"id":1,"op":"hello","body":null}\n')
    await process.stdout.readline()
    process.terminate()
    assert await process.wait() == -signal.SIGTERM


async def test_the_agent_loads_nothing_that_decodes_or_computes() -> None:
    look = (
        "import sys, agent.app.process, agent.app.agent_loop;"
        "print(*{'av', 'cv2', 'mss', 'numpy', 'openvino', 'PIL', 'pyexpat', 'xml'} & set(sys.modules))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", look, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert (process.returncode, out.split()) == (0, [])


async def test_the_agents_side_stays_light() -> None:
    look = (
        "import sys, agent.inference.engine.pool, agent.features.models.model_store; "
        "print(*{'cv2', 'numpy', 'openvino', 'PIL', 'httpx'} & set(sys.modules))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", look, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert (process.returncode, out.split()) == (0, [])


# -- what can go wrong -----------------------------------------------------------------------------------------------------------
async def test_a_worker_that_is_killed_is_told_from_one_that_crashed(make_pool: MakePool) -> None:
    for code in (1, 15) if sys.platform == "win32" else (9, 15):  # there, os.kill ends a process with this exit code
        pool = make_pool(fake(f"os.kill(os.getpid(), {code})"))
        assert isinstance(await failure_of(pool), EngineKilled)
    pool = make_pool(fake("os.kill(os.getpid(), 11)"))
    assert isinstance(await failure_of(pool), EngineCrashed)
    pool = make_pool(fake("sys.exit(3)"))
    assert isinstance(await failure_of(pool), EngineCrashed)


async def test_after_a_kill_in_the_middle_the_next_task_is_served(
    make_pool: MakePool, engine_config: EngineConfig, samples_folder: Path
) -> None:
    pool = make_pool(WORKER, config=engine_config)
    task = Analyse(str(samples_folder / "obama3.jpg"), DETECT)
    before = await pool.analyse(task)
    first = pid_of(pool)
    running = asyncio.create_task(pool.analyse(task))
    await asyncio.sleep(0)  # the request is on its way
    psutil.Process(first).kill()
    with pytest.raises(EngineKilled):
        await running
    after = await pool.analyse(task)
    assert (after.sha256, after.faces) == (before.sha256, before.faces)
    assert pid_of(pool) != first


async def test_a_file_that_hangs_is_given_up_and_its_process_ended(make_pool: MakePool) -> None:
    pool = make_pool(fake("time.sleep(600)"), time_limit_s=2)
    error = await failure_of(pool)
    assert isinstance(error, EngineTimeout)
    assert error.params == {"seconds": 2}
    assert pool.stats() == []


@pytest.mark.parametrize(
    "behaviour",
    [
        "print('rubbish', flush=True)",
        "print('[1, 2]', flush=True)",
        "print('[' * 100000, flush=True)",
        "print('{}', flush=True)",
        "say({'id': r['id'] + 1}, body=1)",
        "say(r)",
        "say(r, body={'sha256': 5})",
        "say(r, error='boom')",
        "say(r, error={'code': '../x', 'params': {}})",
        "os.close(1); time.sleep(60)",
        # Sound in form, but no answer to what was asked.
        "say(r, body=dict(sha256='0' * 64, size=1, width=1, height=1, format='jpeg', precision='f32', faces=[],"
        " recipe=dict(detector='another-1', embedder=None), ms=dict(decode=0, detect=0, align=0, embed=0)))",
    ],
)
async def test_rubbish_is_named_and_ends_the_process(make_pool: MakePool, behaviour: str) -> None:
    pool = make_pool(fake(behaviour))
    assert isinstance(await failure_of(pool), EngineBadAnswer)
    assert pool.stats() == []


@pytest.mark.parametrize(
    "command", [["/no/such/program"], [sys.executable, "-S", "-c", "raise SystemExit(1)"], [sys.executable, "-S", "-c", "print('hi')"]]
)
async def test_a_program_that_does_not_start_is_named(make_pool: MakePool, command: list[str]) -> None:
    assert isinstance(await failure_of(make_pool(command)), EngineStartFailed)


async def test_a_cancelled_task_ends_its_process_and_frees_its_place(make_pool: MakePool) -> None:
    pool = make_pool(fake("time.sleep(600) if 'slow' in r['body']['path'] else say(r, error={'code': 'image.empty', 'params': {}})"))
    slow = asyncio.create_task(pool.analyse(Analyse("slow", DETECT)))
    await until(lambda: bool(pool.stats()))
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert (await failure_of(pool)).code == "image.empty"


# -- order and upkeep ------------------------------------------------------------------------------------------------------------
ECHO = "say(r, error={'code': 'image.empty', 'params': {}})"


async def test_what_a_person_waits_for_goes_first(make_pool: MakePool) -> None:
    pool = make_pool(fake("time.sleep(0.05)\n" + ECHO))
    order: list[str] = []

    async def note(name: str, work: "asyncio.Future[object]") -> None:
        await asyncio.gather(work, return_exceptions=True)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(note(f"analyse{number}", asyncio.ensure_future(pool.analyse(Analyse("x", DETECT)))))
        await asyncio.sleep(0)
        group.create_task(note("preview", asyncio.ensure_future(pool.preview("x", 100))))
    assert order == ["analyse0", "preview", "analyse1", "analyse2"]


async def test_tasks_spread_over_the_processes_there_are(make_pool: MakePool) -> None:
    pool = make_pool(fake("time.sleep(0.05)\n" + ECHO), workers=2)
    await asyncio.gather(*(pool.analyse(Analyse("x", DETECT)) for _ in range(6)), return_exceptions=True)
    assert len({process.pid for process in pool.stats()}) == 2


async def test_idle_processes_end(make_pool: MakePool) -> None:
    pool = make_pool(fake(ECHO), idle_s=1)
    await failure_of(pool)
    pid = pid_of(pool)
    await until(lambda: not psutil.pid_exists(pid))
    assert pool.stats() == []
    assert (await failure_of(pool)).code == "image.empty"


async def test_new_settings_reach_a_new_process(make_pool: MakePool) -> None:
    pool = make_pool(fake(ECHO))
    await failure_of(pool)
    first = pid_of(pool)
    pool.reconfigure(EngineSettings(workers=1))
    assert pid_of(pool) == first
    pool.reconfigure(EngineSettings(workers=2, max_megapixels=5))
    await until(lambda: not psutil.pid_exists(first))
    await asyncio.gather(*(pool.analyse(Analyse("x", DETECT)) for _ in range(4)), return_exceptions=True)
    assert first not in {process.pid for process in pool.stats()}


async def test_who_gives_up_waiting_leaves_the_line(make_pool: MakePool) -> None:
    pool = make_pool(fake("time.sleep(0.05)\n" + ECHO))
    first, second, third = (asyncio.create_task(pool.analyse(Analyse("x", DETECT))) for _ in range(3))
    await until(lambda: bool(pool.stats()))
    second.cancel()
    ended = await asyncio.gather(first, second, third, return_exceptions=True)
    assert isinstance(ended[1], asyncio.CancelledError)
    assert [getattr(error, "code", None) for error in (ended[0], ended[2])] == ["image.empty"] * 2


async def test_more_or_fewer_processes_are_taken_over_under_way(make_pool: MakePool) -> None:
    pool = make_pool(fake("time.sleep(0.2)\n" + ECHO))
    tasks = [asyncio.create_task(pool.analyse(Analyse("x", DETECT))) for _ in range(6)]
    await until(lambda: len(pool.stats()) == 1)
    pool.reconfigure(EngineSettings(workers=2))
    await until(lambda: len(pool.stats()) == 2)
    pool.reconfigure(EngineSettings(workers=1))
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(error, "code", None) for error in ended] == ["image.empty"] * 6
    await until(lambda: len(pool.stats()) <= 1)
    pool.reconfigure(EngineSettings(workers=3))
    await asyncio.gather(*(pool.analyse(Analyse("x", DETECT)) for _ in range(6)), return_exceptions=True)
    assert len(pool.stats()) == 3
    pool.reconfigure(EngineSettings(workers=2))
    await asyncio.gather(*(pool.analyse(Analyse("x", DETECT)) for _ in range(6)), return_exceptions=True)
    assert len(pool.stats()) == 2


async def test_forgetting_ends_the_process_that_knows_faces(make_pool: MakePool) -> None:
    pool = make_pool(fake(ECHO))
    await failure_of(pool)
    pid = pid_of(pool)
    pool.forget()
    await until(lambda: not psutil.pid_exists(pid))
    assert (await failure_of(pool)).code == "image.empty"


async def test_closing_ends_everything_and_says_so_to_who_waits(make_pool: MakePool) -> None:
    pool = make_pool(fake("time.sleep(600)"))
    tasks = [asyncio.create_task(pool.analyse(Analyse("x", DETECT))) for _ in range(3)]
    await until(lambda: bool(pool.stats()))
    pid = pid_of(pool)
    await pool.close()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(error, EngineKilled) for error in ended), ended
    assert not psutil.pid_exists(pid)
    assert isinstance(await failure_of(pool), EngineKilled)


WALLED = FAKE.replace("os.getpid()}", "os.getpid(), 'wall': WALL}")
WHOLE = {"files": True, "writes": True, "network": True, "programs": True, "by": "all"}


@pytest.mark.parametrize("gap", ["files", "writes", "network", "programs"])
async def test_no_photo_is_handed_to_an_engine_without_its_wall_where_that_is_required(make_pool: MakePool, gap: str) -> None:
    def command(wall: dict[str, object]) -> list[str]:
        return [sys.executable, "-S", "-c", f"WALL = {wall!r}\n" + WALLED + "    say(r, error='engine.bad_answer')\n"]

    pool = make_pool(command({**WHOLE, gap: False}), require_sandbox=True)
    error = await failure_of(pool)
    assert error.code == "engine.no_sandbox" and isinstance(error, EngineUnavailable), "it stops the work, and blames no photo"
    assert not pool.stats()
    walled = make_pool(command(WHOLE), require_sandbox=True)
    await walled.hello()
    assert walled.gap is None


@pytest.mark.skipif(sys.platform == "win32", reason="there no wall is whole, and that is known")
async def test_an_engine_without_its_wall_works_and_that_is_told(make_pool: MakePool) -> None:
    pool = make_pool([sys.executable, "-S", "-c", f"WALL = { ({**WHOLE, 'files': False})!r}\n" + WALLED])
    assert pool.gap is None
    await pool.hello()
    assert pool.gap is not None and pool.gap.params == {"files": 1}
