"""What was said while the screen was watched."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.core.i18n import Texts
from agent.screen.sightings import Kind


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said. Who it is stands as an id: somebody who is forgotten is not named here either."""

    number: int
    at: datetime
    kind: Kind
    person_id: int | None = None

    def text(self, texts: Texts, names: Mapping[int, str]) -> str:
        """In words; `names` are of those who may be named now."""
        if self.person_id is None:
            return texts(f"watch.{self.kind}")
        name = names.get(self.person_id)
        return texts("watch.somebody") if name is None else texts("watch.person", name=name)
