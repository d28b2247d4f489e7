"""The alerts of screen watching."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.core.i18n import Texts
from agent.screen.sightings import SightingKind


@dataclass(frozen=True, slots=True)
class Announcement:
    """One alert. It holds the person's id, so that a forgotten person is not named here either."""

    number: int
    at: datetime
    kind: SightingKind
    person_id: int | None = None

    def text(self, texts: Texts, names: Mapping[int, str]) -> str:
        """Return the text; `names` are those of people who may be named now."""
        if self.person_id is None:
            return texts(f"watch.{self.kind}")
        name = names.get(self.person_id)
        return texts("watch.somebody") if name is None else texts("watch.person", name=name)
