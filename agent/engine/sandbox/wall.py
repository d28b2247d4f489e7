"""What the system keeps a walled process from, as that process and the doctor say it."""

from dataclasses import dataclass

from agent.domain.errors import EngineOpen


@dataclass(frozen=True, slots=True)
class Wall:
    """What the system keeps the engine's process from."""

    files: bool = False  # reads no file but those granted
    writes: bool = False  # changes no file but in its scratch folder
    network: bool = False  # reaches nobody: no network, no session bus
    programs: bool = False  # starts no program, touches no other process
    by: str = ""  # what does it, for those who look into it

    def check(self) -> str:
        """What does it. Raises EngineOpen if something is open."""
        files, network = self.files and self.writes, self.network and self.programs
        if not files and not network:
            raise EngineOpen(both=1)
        if not files:
            raise EngineOpen(files=1)
        if not network:
            raise EngineOpen(network=1)
        return self.by


OPEN = Wall()
