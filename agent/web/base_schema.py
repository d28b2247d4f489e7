"""What every schema of the HTTP API is built from."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """The text below a field is its description, which only `scripts/openapi.py` reads: parsing it took a seventh of the agent's start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_record(cls, record: object, **others: object) -> Self:
        """Build it from the fields of `record` with the same names; `others` are added or take precedence."""
        shared = {name: getattr(record, name) for name in cls.model_fields if name not in others and hasattr(record, name)}
        return cls.model_validate({**shared, **others})
