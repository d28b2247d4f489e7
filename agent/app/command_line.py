"""The command line: parse, call, print. Heavy imports stay inside the command that needs them."""

import os
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from typing import TextIO

from agent.desktop.system.watchdog import is_to_watch, marked, watch


def main(words: Sequence[str]) -> int:
    """Run one command. Returns the exit code: 0 success, 1 failure, 2 wrong usage."""
    match list(words):
        case ["engine-worker"]:
            from agent.inference.engine import engine_worker

            return engine_worker.main()
        case ["match-worker"]:
            from agent.inference.engine import matcher_worker

            return matcher_worker.main()
        case ["screen-worker"]:
            from agent.inference.engine import screen_worker

            return screen_worker.main()
        case ["clipboard-holder"]:
            from agent.desktop.popup import clipboard_owner

            return clipboard_owner.main()
        case ["popup-window"]:
            from agent.desktop.popup import popup_window

            return popup_window.main()
        case ["find-servers"]:
            from agent.desktop.team_client import discovery

            return discovery.main()
        case ["update-worker"]:
            from agent.features.updates import update_worker as update_worker

            return update_worker.main()
        case ["run", *_] if is_to_watch(words):
            return watch(words)
        case _:
            return _command(words)


def _command(words: Sequence[str]) -> int:
    from agent.infrastructure.core.core_dumps import disable_core_dumps
    from agent.interfaces.cli.click_texts import speak
    from agent.interfaces.cli.language import chosen_texts

    disable_core_dumps()
    speak(chosen_texts())  # before the commands are created
    from agent.app.commands import run_command

    _have_streams()
    write_every_name(sys.stdout, sys.stderr)
    code = run_command(words)
    return marked(code) if words[:1] == ["run"] else code


def write_every_name(*streams: TextIO, windows: bool = sys.platform == "win32", environ: Mapping[str, str] = os.environ) -> None:
    """Have the streams accept every file name; what their encoding lacks is written as its number.

    On Windows a file or another program gets UTF-8, as from the installed program (installers/ai_popup.spec), unless the user chose an
    encoding: its code page lacks most names, and the next program reads in another one anyway.
    """
    chosen = "PYTHONIOENCODING" in environ or environ.get("PYTHONUTF8") == "0"
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            utf8 = windows and not chosen and not stream.isatty()
            stream.reconfigure(encoding="utf-8" if utf8 else None, errors="backslashreplace")


def _have_streams() -> None:
    """Replace missing streams: Windows gives none to programs without a console, e.g. from menus, at login or by an installer."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - until the process ends
