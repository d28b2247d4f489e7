"""The command line: parse, call, print. Heavy imports stay inside the command that needs them."""

import os
import sys
from collections.abc import Sequence

from agent.desktop.watchdog import is_to_watch, marked, watch


def main(words: Sequence[str]) -> int:
    """Run one command. Returns the exit code: 0 success, 1 failure, 2 wrong usage."""
    match list(words):
        case ["engine-worker"]:
            from agent.engine import engine_worker

            return engine_worker.main()
        case ["match-worker"]:
            from agent.engine import matcher_worker

            return matcher_worker.main()
        case ["screen-worker"]:
            from agent.engine import screen_worker

            return screen_worker.main()
        case ["clipboard-holder"]:
            from agent.desktop import clipboard_holder

            return clipboard_holder.main()
        case ["popup-window"]:
            from agent.desktop import popup_window

            return popup_window.main()
        case ["find-servers"]:
            from agent.team import discovery

            return discovery.main()
        case ["update-worker"]:
            from agent.updates import update_worker as update_worker

            return update_worker.main()
        case ["run", *_] if is_to_watch(words):
            return watch(words)
        case _:
            return _command(words)


def _command(words: Sequence[str]) -> int:
    from agent.cli.click_texts import speak
    from agent.cli.own_texts import chosen_texts

    speak(chosen_texts())  # before the commands are created
    from agent.main.commands import run_command

    _have_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a file name may hold characters that the terminal can't show
    code = run_command(words)
    return marked(code) if words[:1] == ["run"] else code


def _have_streams() -> None:
    """Replace missing streams: Windows gives none to programs without a console, e.g. from menus, at login or by an installer."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - until the process ends
