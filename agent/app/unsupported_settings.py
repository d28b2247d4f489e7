"""Settings that are valid, but that this system can't fulfil: a hotkey that is taken, autostart that it refuses."""

from collections.abc import Callable

from agent.domain.errors import AgentError


class UnsupportedSettings:
    """`refuse` shows an error beside the settings in force."""

    def __init__(self, refuse: Callable[[AgentError], None]) -> None:
        self._refuse = refuse
        self._errors: dict[str, AgentError] = {}  # by section

    def note(self, section: str, error: AgentError | None) -> None:
        """Note why this section's settings can't be fulfilled; None if they are."""
        self._errors.pop(section, None)
        if error is not None:
            self._errors[section] = error
            self._refuse(error)

    def repeat(self) -> None:
        """Show what still can't be fulfilled."""
        for error in self._errors.values():
            self._refuse(error)
