"""`ai-popup run` and the wait for its end."""

import click

from agent import logs
from agent.cli.session import Session
from agent.domain.errors import AgentUnreachable, NoTray

END_WAIT_S = 20.0


def run_agent(session: Session, *, tray: bool) -> int:
    """Run until quit, with the instance's lock held. Where no tray can be shown the agent runs without."""
    from agent.heap import few_arenas

    few_arenas()
    from agent.running import Agent

    settings = session.settings
    logs.configure(settings.logs, session.paths.logs)
    try:
        with session.library() as library:
            agent = Agent(
                session.paths,
                session.file,
                library,
                tray=tray and settings.tray.enabled,
                welcome=session.library_is_new,
                on_no_tray=lambda: session.explain(NoTray()),
                on_ready=lambda: click.echo(session.texts("cli.run.ready"), err=True),
            )
            agent.run()
    finally:
        logs.stop()
    return 0


def wait_for_end(session: Session) -> int:
    """Until the agent has let go of its lock. Raises AgentUnreachable if it does not."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(session.paths.lock, timeout=END_WAIT_S, poll_interval=0.05):
            return 0
    except Timeout as error:
        raise AgentUnreachable from error
