"""The commands of `ai-popup`."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from agent import __version__
from agent.app.audit_commands import record
from agent.app.backup_commands import backup, recover, recovery_code
from agent.app.config_commands import config
from agent.app.evidence_commands import bundle
from agent.app.help_commands import help_page
from agent.app.in_process import PROGRAM
from agent.app.serve_commands import serve
from agent.app.server_commands import server
from agent.app.shell_menu import hand_over
from agent.app.transfer_commands import move_to
from agent.app.uninstall_commands import uninstall
from agent.app.worker_commands import worker
from agent.desktop.capture.commands import capture
from agent.desktop.capture.watch_commands import watch
from agent.desktop.team_client.commands import team
from agent.domain.errors import AgentError, AlreadyRunning, DesktopError, LifecycleError
from agent.features.consent.commands import consent, import_list
from agent.features.library.folder_commands import folders
from agent.features.library.problem_commands import problems
from agent.features.models.commands import models
from agent.features.people.album_commands import albums
from agent.features.people.commands import people
from agent.features.people.find_commands import find, verify
from agent.features.people.undo_commands import redo, undo
from agent.features.redaction.commands import redact, restore
from agent.features.updates.commands import update
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.store.secret_stores import WAITING
from agent.interfaces.cli.command import Command, CommandGroup, json_option
from agent.interfaces.cli.completion import completion
from agent.interfaces.cli.failures import told
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say, tell
from agent.interfaces.cli.params import Paths, There
from agent.interfaces.cli.session import CommandSession
from agent.interfaces.cli.session_commands import sessions
from agent.server.accounts.commands import members
from agent.server.accounts.oidc.commands import provider
from agent.server.alerts.commands import alerts
from agent.server.incidents.commands import incidents
from agent.server.libraries.bucket_commands import libraries
from agent.server.workers.commands import workers

if TYPE_CHECKING:
    from agent.interfaces.web.schemas import Status


def run_command(words: Sequence[str]) -> int:
    """Parse and run a command. Errors are printed to standard error with cause and remedy."""
    session, stdout = CommandSession(AppPaths.find(), PROGRAM), sys.stdout
    heard = WAITING.subscribe(lambda _: session.mention(session.texts("cli.keyring_waits")))
    try:
        result = ai_popup.main(list(words), prog_name="ai-popup", obj=session, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        return told(session, error)
    except SystemExit:
        if sys.stdout is stdout:
            raise
        # A reader of our output left (`| head`); click then replaces the streams. Not an error.
        return 0
    finally:
        heard()


@click.group(
    cls=CommandGroup, help=TEXTS("cli.help.ai_popup"), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="ai-popup", help=TEXTS("cli.click.show_version"))
def ai_popup() -> None: ...


@click.command(cls=Command, help=TEXTS("cli.help.run"))
@click.option("--no-tray", is_flag=True, help=TEXTS("cli.help.no_tray"))
@click.option("--trial", is_flag=True, hidden=True)  # the previous version tests whether this one starts
@click.pass_obj
def run(session: CommandSession, no_tray: bool, trial: bool) -> int:
    from agent.app.run_commands import after_quit, before_run, run_agent, tell_desktop, try_out

    if trial:
        return try_out(session)
    words = ["--no-tray"] if no_tray else []
    try:
        before_run(session, words)
        with session.alone(command=False):
            end = run_agent(session, tray=not no_tray)
    except AlreadyRunning:
        return show_running(session)
    except AgentError as error:
        if not no_tray and tell_desktop(session, error):
            from agent.app.recovery_prompt import start_again

            start_again(words)
        raise
    after_quit(session, words, end)
    return 0


def show_running(session: CommandSession) -> int:
    """Show the running agent's popup at a second start, if the popup is ready and there is a display. A terminal is told in any case."""
    with suppress(DesktopError, LifecycleError):
        session.client().post("/api/popup/show")
    note(session.texts("cli.run.already"))
    return 0


@click.command(cls=Command, help=TEXTS("cli.help.scan"))
@click.argument("paths", nargs=-1, required=True, cls=Paths, type=There())
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json"))
@click.option("--embeddings", is_flag=True, help=TEXTS("cli.help.embeddings"))
@click.option("--exclude", multiple=True, metavar="PATTERN", help=TEXTS("cli.help.exclude"))
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.scan_dry_run"))
@click.pass_obj
def scan(session: CommandSession, paths: tuple[str, ...], as_json: bool, embeddings: bool, exclude: tuple[str, ...], dry_run: bool) -> int:
    from agent.features.library.commands import list_files, scan_paths
    from agent.features.library.scan_schemas import ScanRequest
    from agent.interfaces.cli.in_process_app import absolute

    if not all(exclude):
        raise click.BadParameter(session.texts("cli.scan.pattern"), param_hint="--exclude")
    request = ScanRequest(paths=absolute(paths), embeddings=embeddings, exclude=exclude)
    return list_files(session, request, as_json=as_json) if dry_run else scan_paths(session, request, as_json=as_json)


@click.command(cls=Command, help=TEXTS("cli.help.status"))
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json_one"))
@click.pass_obj
def status(session: CommandSession, as_json: bool) -> None:
    now = session.server().status()
    if as_json:
        say(now.model_dump_json())
        return
    texts = session.texts
    state = "no_folder" if now.state == "idle" and not now.folders else now.state
    say(texts(f"cli.status.{state}", count=now.queued))
    say(texts.counted("cli.status.library", photos=now.images, faces=now.faces, people=now.people))
    say(texts("cli.status.recognition_on" if now.recognition else "cli.status.recognition_off"))
    for folder in now.folders:
        say(texts("cli.status.folder", path=folder.path))
        if folder.problem:
            say(f"    {session.sentences(folder.problem.cause, folder.problem.remedy)} [{folder.problem.code}]")
    for remark in _remarks(now, session):
        say(remark)


def _remarks(now: "Status", session: CommandSession) -> Iterator[str]:
    """Unusual states, one line each."""
    texts = session.texts
    if now.throttled:
        yield texts(f"ui.status.throttled.{now.throttled}")
    if now.quiet_until:
        yield texts("cli.status.quiet", time=texts.moment(now.quiet_until, datetime.now(UTC)))
    if now.watch != "off":
        until = texts.moment(now.watch_until, datetime.now(UTC)) if now.watch_until else ""
        yield texts(f"ui.watch.state.{now.watch}", time=until)
    if now.failed:
        yield texts("cli.status.failed", count=now.failed)
    if now.online_only:
        yield texts("cli.status.online_only", count=now.online_only)
    if now.device_note:
        yield now.device_note
    if now.update:
        yield texts("cli.status.update", version=now.update)
    for problem in (now.problem, now.warning, now.watch_problem, now.taken_back):
        if problem:
            yield f"{session.sentences(problem.cause, problem.remedy)} [{problem.code}]"


@click.command(cls=Command, help=TEXTS("cli.help.pause"))
@json_option()
@click.pass_obj
def pause(session: CommandSession, as_json: bool) -> None:
    session.server().post("/api/pause")
    tell({"paused": True}, session.texts("cli.paused"), as_json=as_json)


@click.command(cls=Command, help=TEXTS("cli.help.resume"))
@json_option()
@click.pass_obj
def resume(session: CommandSession, as_json: bool) -> None:
    session.server().post("/api/resume")
    tell({"paused": False}, session.texts("cli.resumed"), as_json=as_json)


def _places(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from agent.desktop.popup.schemas import PAGES

    return [page for page in PAGES if page.startswith(begun)]


@click.command(cls=Command, name="open", help=TEXTS("cli.help.open"), short_help=TEXTS("cli.help.open_short"))
@click.argument("at", required=False, metavar="[PLACE]", shell_complete=_places)
@click.option("--print", "only_print", is_flag=True, help=TEXTS("cli.help.print"))
@json_option()
@click.pass_obj
def open_ui(session: CommandSession, at: str | None, only_print: bool, as_json: bool) -> None:
    from agent.desktop.popup.schemas import OpenRequest
    from agent.desktop.system.external_apps import open_in_browser
    from agent.infrastructure.core.setting_fields import check_setting_place

    if at is not None:
        try:
            OpenRequest(at=at)
        except ValueError:
            raise click.BadParameter(session.texts("cli.open.place"), param_hint="PLACE") from None
        check_setting_place(at)
    url = session.server().session_url(at=at)
    if as_json:
        say(json.dumps({"url": url}))
    elif only_print or not open_in_browser(url):
        note(session.texts("cli.open.once"))
        say(url)


@click.command(cls=Command, name="quit", help=TEXTS("cli.help.quit"))
@json_option()
@click.pass_obj
def quit_agent(session: CommandSession, as_json: bool) -> int:
    from agent.app.run_commands import wait_for_end

    client = session.server()
    client.post("/api/quit")
    code = wait_for_end(session)
    if as_json:
        say(json.dumps({"running": False}))
    return code


@click.command(cls=Command, help=TEXTS("cli.help.doctor"))
@click.option("--device", metavar="DEVICE", help=TEXTS("cli.help.doctor_device"))
@json_option("json_each")
@click.pass_obj
def doctor(session: CommandSession, device: str | None, as_json: bool) -> int:
    from agent.app.doctor_commands import report, report_device

    return report(session, as_json=as_json) if device is None else report_device(session, device, as_json=as_json)


people.add_command(import_list)
incidents.add_command(bundle)
members.add_command(provider)
for section, commands in {
    "program": (run, status, open_ui, pause, resume, quit_agent, config, models, doctor, update, help_page, completion, uninstall),
    "photos": (scan, folders, problems, find, albums, people, consent, verify, undo, redo, hand_over),
    "copies": (redact, restore, capture, watch),
    "safety": (backup, recover, recovery_code, record, sessions),
    "team": (team, serve, server, worker, workers, members, libraries, incidents, alerts, move_to),
}.items():
    ai_popup.add_section(TEXTS(f"cli.sections.{section}"), commands)
