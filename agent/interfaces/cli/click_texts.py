"""click's own texts (usage, options, invalid values) in the user's language."""

import gettext
import sys

import click

from agent.infrastructure.core.i18n import Texts

# click's gettext messages, and the names of our texts.
_NAMES = {
    "Usage:": "usage",
    "Options": "options",
    "Commands": "commands",
    "Positional arguments": "arguments",
    "Show this message and exit.": "show_help",
    "Show the version and exit.": "show_version",
    "Error: {message}": "error",
    "Error: invalid input": "error_input",
    "Error: The two entered values do not match.": "error_repeat",
    "Repeat for confirmation": "repeat",
    "Aborted!": "aborted",
    "Try '{command} {option}' for help.": "try_help",
    "No such option {name!r}.": "no_option",
    "No such command {name!r}.": "no_command",
    "Did you mean {possibility}?": "did_you_mean",
    "(Did you mean one of: {possibilities}?)": "did_you_mean_one",
    "Missing argument": "missing_argument",
    "Missing option": "missing_option",
    "Missing parameter": "missing_parameter",
    "Missing parameter: {param_name}": "missing_named",
    "Missing {param_type}": "missing_kind",
    "Missing command.": "missing_command",
    "Choose from:\n\t{choices}": "choose",
    "Got unexpected extra argument ({args})": "extra_argument",
    "Got unexpected extra arguments ({args})": "extra_arguments",
    "Option {name!r} requires an argument.": "option_value",
    "Option {name!r} requires {nargs} arguments.": "option_values",
    "Option {name!r} does not take a value.": "option_no_value",
    "Argument {name!r} takes {nargs} values.": "argument_values",
    "Takes {nargs} values but 1 was given.": "takes_one",
    "Takes {nargs} values but {len} were given.": "takes",
    "{value!r} is not {choice}.": "not_choice",
    "{value!r} is not one of {choices}.": "not_one_of",
    "{value!r} does not match the format {format}.": "not_format",
    "{value!r} does not match the formats {formats}.": "not_formats",
    "{value!r} is not a valid {number_type}.": "not_number",
    "{value} is not in the range {range}.": "not_in_range",
    "{value!r} is not a valid boolean. Recognized values: {states}": "not_boolean",
    "Invalid value: {message}": "invalid",
    "Invalid value for {param_hint}: {message}": "invalid_for",
    "{name} {filename!r} does not exist.": "not_there",
    "{name} {filename!r} is a file.": "is_file",
    "{name} {filename!r} is a directory.": "is_folder",
    "{name} {filename!r} is not readable.": "not_readable",
    "{name} {filename!r} is not writable.": "not_writable",
    "{name} {filename!r} is not executable.": "not_executable",
    "Could not open file {filename!r}: {message}": "not_opened",
    "unknown error": "unknown_error",
    "default: {default}": "default",
    "required": "required",
    "env var: {var}": "variable",
    "deprecated": "deprecated",
    "file": "file",
    "directory": "folder",
    "path": "path",
    "d": "days",
}
# click's names of value types, in help and in errors.
_KINDS: dict[type[click.ParamType[object]], tuple[str, str]] = {
    type(click.STRING): ("text", "text"),
    type(click.INT): ("integer", "whole_number"),
    type(click.FLOAT): ("float", "number"),
    click.IntRange: ("integer range", "whole_number"),
    click.FloatRange: ("float range", "number"),
}


def whole(error: click.UsageError, texts: Texts) -> click.UsageError:
    """The error with the language's punctuation: click ends one of its sentences itself, and puts spaces between others."""
    if texts.language == "en":
        return error
    stop, told = texts("cli.click.stop"), error.format_message()
    if isinstance(error, click.MissingParameter):
        told = f"{told.removesuffix('.')}{stop}".replace("'. ", f"'{stop}")
    elif f"{stop} " not in told:
        return error
    return click.UsageError(told.replace(f"{stop} ", stop), error.ctx)


def speak(texts: Texts) -> None:
    """Set click's language from now on: call it before commands are created, because they copy the names of file types.

    Each of its modules holds gettext as `_`; there is no public place for a catalogue.
    """
    english = texts.language == "en"

    def word(message: str) -> str:
        name = _NAMES.get(message)
        return message if name is None else texts(f"cli.click.{name}")

    def plural(one: str, other: str, count: int) -> str:
        return word(one if count == 1 else other)

    for name, module in list(sys.modules.items()):
        if name.startswith("click."):
            if "_" in vars(module):
                vars(module)["_"] = gettext.gettext if english else word
            if "ngettext" in vars(module):
                vars(module)["ngettext"] = gettext.ngettext if english else plural
    for kind, (own, name) in _KINDS.items():
        kind.name = own if english else texts(f"cli.click.{name}")
