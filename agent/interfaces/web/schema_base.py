"""What every schema of the HTTP API is built from."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict

from agent.domain.confusables import shown


def _shown(text: object) -> object:
    return shown(text) if isinstance(text, str) else text


# Others write it, and who reads it decides by it: what isn't printable may turn the reading direction, or be invisible.
Visible = Annotated[str, BeforeValidator(_shown)]


class Schema(BaseModel):
    """The text below a field is its description, which only `scripts/openapi.py` reads: parsing it took a seventh of the agent's start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_record(cls, record: object, **others: object) -> Self:
        """Build it from the fields of `record` with the same names; `others` are added or take precedence."""
        shared = {name: getattr(record, name) for name in cls.model_fields if name not in others and hasattr(record, name)}
        return cls.model_validate({**shared, **others})
