"""What the system denies a sandboxed process, as reported by that process and the doctor."""

from dataclasses import dataclass

from agent.domain.errors import EngineOpen


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What the system denies the engine's process."""

    files: bool = False  # reads only granted files
    writes: bool = False  # changes files only in its scratch folder
    network: bool = False  # reaches no network and no session bus
    programs: bool = False  # starts no program, touches no other process
    by: str = ""  # the mechanisms, for technical readers

    def check(self) -> str:
        """The mechanisms in force. Raises EngineOpen if a restriction is missing."""
        files, network = self.files and self.writes, self.network and self.programs
        if not files and not network:
            raise EngineOpen(both=1)
        if not files:
            raise EngineOpen(files=1)
        if not network:
            raise EngineOpen(network=1)
        return self.by


OPEN = Sandbox()
