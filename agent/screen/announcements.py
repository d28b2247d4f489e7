"""The alerts of screen watching."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.core.i18n import Texts
from agent.screen.sightings import Sighting, SightingKind


@dataclass(frozen=True, slots=True)
class Announcement:
    """One alert. It holds the person's id, so that a forgotten person is not named here either."""

    number: int
    at: datetime
    kind: SightingKind
    person_id: int | None = None
    count: int = 1  # faces that it stands for

    def text(self, texts: Texts, names: Mapping[int, str]) -> str:
        """Return the text; `names` are those of people who may be named now."""
        if self.count > 1:
            return texts("watch.new_faces", count=self.count)
        if self.person_id is None:
            return texts(f"watch.{self.kind}")
        name = names.get(self.person_id)
        return texts("watch.somebody") if name is None else texts("watch.person", name=name)


def together(told: Sequence[Sighting]) -> Iterator[tuple[Sighting, int]]:
    """Yield the sightings of one check with the number of faces that each stands for: a group is one alert, not one for each face."""
    new = [each for each in told if each.kind is SightingKind.NEW_FACE]
    if new:
        yield new[0], len(new)
    yield from ((each, 1) for each in told if each.kind is not SightingKind.NEW_FACE)
