"""`ai-popup doctor`: checks everything that the program depends on and reports problems with their remedies."""

import asyncio
import json
import platform
from collections.abc import Callable, Mapping
from functools import cache

import psutil

from agent import __version__
from agent.app.checkup import checks, diagnostics_context, engine_words, memory_beside, update_check
from agent.app.engines import engine_pool, model_files, model_store
from agent.app.health import Check, findings
from agent.domain.errors import AgentError, ModelMissing
from agent.inference.engine.devices import DeviceNote, Trial
from agent.inference.engine.engine_calls import EngineConfig, Hello
from agent.inference.engine.selftest_runs import DeviceSelector
from agent.infrastructure.core.config_check import validated
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.memory_guard import ProcessKind
from agent.infrastructure.core.scratch_folders import scratch_folder
from agent.interfaces.cli.output import say
from agent.interfaces.cli.session import CommandSession
from agent.interfaces.web.schemas import Status

MARKS = {"ok": "✓", "absent": "·", "warning": "!", "failed": "✗"}


def report(session: CommandSession, *, as_json: bool = False) -> int:
    """Print a line per check, each at once. Exit code 1 if one failed; an absent part (a tray, a running agent) is not a failure."""
    if as_json:
        return _report_json(session)
    say(f"AI Popup {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    served, failed = session.is_served, False
    for finding in findings(all_checks(session)):
        failed = failed or finding.state == "failed"
        error, text = finding.error, finding.text
        if error is not None:
            code = f" [{error.code}]" if finding.state in ("warning", "failed") else ""
            text = f"{session.sentences(session.texts.cause(error), session.texts.remedy(error))}{code}"
        name = "server" if served and finding.name == "agent" else finding.name
        line = session.texts("cli.label", name=session.texts(f"cli.doctor.{name}"), value=text)
        say(f"{MARKS[finding.state]} {line}")
        if finding.state in ("warning", "failed"):
            command = "ai-popup help troubleshooting" if served else f"ai-popup open help/troubleshooting/{finding.name}"
            say(f"  {session.texts('cli.doctor.more', command=command)}")
    return 1 if failed else 0


def _report_json(session: CommandSession) -> int:
    failed = False
    for finding in findings(all_checks(session)):
        failed = failed or finding.state == "failed"
        error = finding.error
        facts = {"name": finding.name, "state": finding.state, "text": finding.text if error is None else session.texts.cause(error)}
        say(json.dumps({**facts, "code": error and error.code}, ensure_ascii=False))
    return 1 if failed else 0


def report_device(session: CommandSession, device: str, *, as_json: bool = False) -> int:
    """Test one device, or all with AUTO, beside the processor now; print a line for each. Exit code 1 if the device can't be used.

    Raises SettingsInvalid, ModelError.
    """
    settings = validated({"engine": {**session.settings.engine.model_dump(mode="json"), "device": device}}).engine
    config = EngineConfig.of(settings, model_files(model_store(session.paths)), converted="", cache="", threads=1)
    if not config.models:
        raise ModelMissing(model=session.program.recipe(session.settings, False).detector)
    trials, note = asyncio.run(_trials(config))
    absent = {} if note is None or note.device in trials else {note.device: Trial(note.fault)}
    for name, trial in {**trials, **absent}.items():
        if as_json:
            say(json.dumps({"device": name, "precision": trial.precision, "ms": trial.ms, "fault": trial.fault}))
            continue
        fast = session.texts("cli.doctor.device_time", precision=trial.precision, ms=f"{trial.ms:.1f}")
        text = fast if trial.fault is None else DeviceNote(name, trial.fault).text(session.texts)
        say(f"{MARKS['ok' if trial.fault is None else 'failed']} {session.texts('cli.label', name=name, value=text)}")
    return 1 if note is not None else 0


async def _trials(config: EngineConfig) -> tuple[Mapping[str, Trial], DeviceNote | None]:
    """Test without the record of earlier trials."""
    with scratch_folder("device") as folder:
        chooser = DeviceSelector(folder / "devices.json", own_command("engine-worker"))
        try:
            await chooser.chosen(config)
            return chooser.trials, chooser.note
        finally:
            await chooser.close()


def all_checks(session: CommandSession) -> dict[str, Check]:
    """The checks for a process that has neither the library nor an engine open."""
    served = session.is_served
    standing = diagnostics_context(session.paths, session.file.load, lambda: session.texts, served=served)
    hello = cache(lambda: asyncio.run(_hello(session)))  # one engine answers both questions

    @cache
    def asked() -> Status | AgentError:  # once: a program that hangs, or whose database does, takes its time to say so
        try:
            return session.server().status()
        except AgentError as error:
            return session.named(error)

    def status() -> Status:
        if isinstance(said := asked(), AgentError):
            raise said
        return said

    found = checks(
        standing,
        lambda: session.texts,
        engine=lambda: engine_words(hello()[0].device, hello()[0].precision, hello()[1], session.texts),
        wall=lambda: hello()[0].wall,
        updates=update_check(session.paths, session.file.load, lambda: session.texts),
        running={"agent": lambda: status().state, "memory": lambda: _memory(session, status)},
        desktop=not served,
    )
    return found | _network(session) if served else found


def _network(session: CommandSession) -> dict[str, Check]:
    """What a server's settings name on the network; nothing without the server's packages, which the library's check reports."""
    try:
        from agent.app.server.network_context import network_beside
    except ModuleNotFoundError:
        return {}
    return network_beside(session.paths, session.file.load, lambda: session.texts)


def _memory(session: CommandSession, status: Callable[[], Status]) -> str:
    """Of a running agent or server and its processes. Raises NotRunning, ServerStopped, ProcessMemory, EngineMemory."""
    from agent.app.metric_families.processes import Processes
    from agent.app.metric_families.thresholds import OF_AGENT, OF_SERVER, thresholds

    client, settings = session.server(), session.file.load()
    own, kinds = (ProcessKind.SERVER, OF_SERVER) if session.has_server else (ProcessKind.AGENT, OF_AGENT)
    largest = Processes(own, lambda: psutil.Process(client.pid)).read().largest
    try:
        limits = thresholds(settings, kinds, status().faces)
    except AgentError:  # it hangs, or its database does: how many faces the matcher may hold isn't known
        limits = thresholds(settings, [kind for kind in kinds if kind is not ProcessKind.MATCHER], 0)
    return memory_beside(largest, limits, session.texts)


async def _hello(session: CommandSession) -> tuple[Hello, DeviceNote | None]:
    pool = engine_pool(session.settings, session.paths, model_store(session.paths), again=True)
    try:
        return await pool.hello(), pool.device_note
    finally:
        await pool.close()
