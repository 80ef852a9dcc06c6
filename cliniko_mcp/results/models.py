"""What the answers of curated tools are made of: models that hold what they declare and nothing else.

A field that holds None is left out of the answer, so that a schema needs no null. Every field has a description; its
unit is in the description or in its type (see `frontdesk.answer_rows`).
"""

from pydantic import BaseModel, ConfigDict, Field

from cliniko_mcp.errors import JsonValue


class AnswerModel(BaseModel):
    """An object of an answer, or a whole answer without what every answer carries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def as_json(self) -> dict[str, JsonValue]:
        """The object as JSON, without the fields that hold None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Surroundings(AnswerModel):
    """What every answer carries beside its own fields."""

    notes: list[str] | None = Field(default=None, description="Remarks to tell the user.")
    now: str = Field(description="The time now, in time_zone.")
    time_zone: str = Field(description="IANA name of the zone of the answer.")
