"""Failures of the settings file."""

from agent.domain.errors.error_tree import AgentError


class SettingsError(AgentError):
    """The settings can't be applied; the previous ones stay in effect. Parameter `key`: the setting's dotted name."""


class SettingsNoAccess(SettingsError):
    """The file exists but can't be opened."""

    code = "settings.no_access"


class SettingsUnreadable(SettingsError):
    """The file is not TOML. Parameters: `line`; `backslash` if it has a Windows path in double quotes."""

    code = "settings.unreadable"


class SettingsGone(SettingsError):
    """The file was removed or emptied while the program ran: defaults in its place would delete face prints and leave folders."""

    code = "settings.gone"


class SettingsUnknownKey(SettingsError):
    """The key does not exist. Parameters: `key`, `nearest` (empty if none is similar), and `line` if it is in the file.

    `section` is set if `key` is a section's name, `folder` if it belongs to a watched folder.
    """

    code = "settings.unknown_key"


class SettingsInvalid(SettingsError):
    """The value is invalid. Parameters: `key`, `reason` (what the value must be), and the `line` of the file or the `variable`."""

    code = "settings.invalid"


class SettingsUnwritable(SettingsError):
    code = "settings.unwritable"


class SettingsGivenTwice(SettingsError):
    """A variable holds the value, and another names a file for it. Parameters: `key`, `variable` (the one that holds the value)."""

    code = "settings.given_twice"


class SettingsSecretUnreadable(SettingsError):
    """The file that a variable names can't be read. Parameters: `key`, `variable` (the one that names the file), `empty` if it holds
    nothing."""

    code = "settings.secret_unreadable"
