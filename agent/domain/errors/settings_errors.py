"""What can be wrong with the settings file."""

from agent.domain.errors.error_tree import AgentError


class SettingsError(AgentError):
    """The settings can't be taken over; those in force stay. Parameter `key`: the setting's dotted name."""


class SettingsNoAccess(SettingsError):
    """The file is there and can't be opened."""

    code = "settings.no_access"


class SettingsUnreadable(SettingsError):
    """Not TOML. Parameter: `line`."""

    code = "settings.unreadable"


class SettingsUnknownKey(SettingsError):
    """Parameters: `key`, `nearest` (empty if none is near), and `line` if it stands in the file.

    `section` is set if `key` is a section's name, `folder` if it is of a watched folder.
    """

    code = "settings.unknown_key"


class SettingsInvalid(SettingsError):
    """Parameters: `key`, `reason` (what the value must be), and `line` if it stands in the file."""

    code = "settings.invalid"


class SettingsUnwritable(SettingsError):
    code = "settings.unwritable"
