"""The words that click itself says (usage, options, wrong words), in the user's language."""

import sys

from agent.i18n import Texts

# What click asks gettext for, and the name of our text; what is not here stays English.
_NAMES = {
    "Usage:": "usage",
    "Options": "options",
    "Commands": "commands",
    "Show this message and exit.": "show_help",
    "Show the version and exit.": "show_version",
    "Error: {message}": "error",
    "Try '{command} {option}' for help.": "try_help",
    "No such option {name!r}.": "no_option",
    "No such command {name!r}.": "no_command",
    "Missing argument": "missing_argument",
    "Missing command.": "missing_command",
    "Invalid value: {message}": "invalid",
    "Invalid value for {param_hint}: {message}": "invalid_for",
    "{name} {filename!r} does not exist.": "not_there",
    "{name} {filename!r} is a directory.": "is_folder",
    "{name} {filename!r} is not readable.": "not_readable",
    "Could not open file {filename!r}: {message}": "not_opened",
    "file": "file",
    "directory": "folder",
    "path": "path",
}


def speak(texts: Texts) -> None:
    """Let click speak this language from now on. Its modules each hold gettext as `_`; there is no public place to put a catalogue."""

    def word(message: str) -> str:
        name = _NAMES.get(message)
        return message if name is None else texts(f"cli.click.{name}")

    if texts.language == "en":
        return
    for name, module in list(sys.modules.items()):
        if name.startswith("click.") and "_" in vars(module):
            vars(module)["_"] = word
