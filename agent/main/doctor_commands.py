"""`ai-popup doctor`: checks everything that the program depends on and reports problems with their remedies."""

import asyncio
import json
import platform
from functools import cache

from agent import __version__
from agent.cli.output import say
from agent.cli.session import CommandSession
from agent.engine.devices import Note
from agent.engine.engine_calls import Hello
from agent.main.checkup import checks, engine_words, ground, update_check
from agent.main.health import Check, examine
from agent.main.wiring import engine_pool, model_store

MARKS = {"ok": "✓", "absent": "·", "warning": "!", "failed": "✗"}


def report(session: CommandSession, *, as_json: bool = False) -> int:
    """Print a line per check. Exit code 1 if one failed; an absent part (a tray, a running agent) is not a failure."""
    if as_json:
        return _report_json(session)
    say(f"AI Popup {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    findings = examine(all_checks(session))
    for finding in findings:
        error, text = finding.error, finding.text
        if error is not None:
            code = f" [{error.code}]" if finding.state in ("warning", "failed") else ""
            text = f"{session.sentences(session.texts.cause(error), session.texts.remedy(error))}{code}"
        line = session.texts("cli.label", name=session.texts(f"cli.doctor.{finding.name}"), value=text)
        say(f"{MARKS[finding.state]} {line}")
        if finding.state in ("warning", "failed"):
            say(f"  {session.texts('cli.doctor.more', place=f'help/troubleshooting/{finding.name}')}")
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def _report_json(session: CommandSession) -> int:
    findings = examine(all_checks(session))
    for finding in findings:
        error = finding.error
        facts = {"name": finding.name, "state": finding.state, "text": finding.text if error is None else session.texts.cause(error)}
        say(json.dumps({**facts, "code": error and error.code}, ensure_ascii=False))
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def all_checks(session: CommandSession) -> dict[str, Check]:
    """The checks for a process that has neither the library nor an engine open."""
    standing = ground(session.paths, session.file.load, lambda: session.texts)
    hello = cache(lambda: asyncio.run(_hello(session)))  # one engine answers both questions
    return checks(
        standing,
        lambda: session.texts,
        engine=lambda: engine_words(hello()[0].device, hello()[0].precision, hello()[1], session.texts),
        wall=lambda: hello()[0].wall,
        updates=update_check(session.paths, session.file.load, lambda: session.texts),
        agent=lambda: session.client().status().state,
    )


async def _hello(session: CommandSession) -> tuple[Hello, Note | None]:
    pool = engine_pool(session.settings, session.paths, model_store(session.paths), again=True)
    try:
        return await pool.hello(), pool.device_note
    finally:
        await pool.close()
