"""What all sections of the settings share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Pattern = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
TimeOfDay = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$", examples=["22:00", "07:30"])]


class Section(BaseModel):
    """Frozen, and unknown keys are refused: a typing error must not become a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")
