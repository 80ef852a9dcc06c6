"""A patient's custom fields: the clinic defines them in its settings, a patient holds the answers
(cliniko-api.md#custom-fields).

Sections, fields and options are known by their tokens. Names, types and `archived` come back with the answers and are
ignored when sent, so that what was read can be changed and sent again. A text, paragraph or date has a `value`;
checkboxes and radiobuttons have `options` and perhaps `other`, whose `selected` is true or absent.
"""

from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, model_validator

from cliniko_mcp.cliniko.fields import omittable, parse_day
from cliniko_mcp.cliniko.models import Body, Record

PartT = TypeVar("PartT")


def _filled(value: list[PartT]) -> list[PartT]:
    if not value:
        raise ValueError("cannot be empty; leave out what holds nothing")
    return value


def _short(value: str) -> str:
    if not 0 < len(value.strip()) <= 255:
        raise ValueError("must be 1 to 255 characters, or left out")
    return value


class CustomFieldOption(Body):
    """An answer to choose from, as it is sent; `selected` is true or absent."""

    token: str
    name: str = omittable()
    archived: bool = omittable()
    selected: bool = omittable()

    @model_validator(mode="after")
    def _never_unselected(self) -> Self:
        if self.selected is False:
            raise ValueError("selected must be true; leave it out where the option is not selected")
        return self


class CustomFieldOther(Body):
    """The answer in the patient's own words beside the options, as it is sent."""

    enabled: bool = omittable()
    archived: bool = omittable()
    selected: bool = omittable()
    value: Annotated[str, AfterValidator(_short)] = omittable()

    @model_validator(mode="after")
    def _value_only_if_selected(self) -> Self:
        present = self.model_fields_set
        if "selected" in present and not self.selected:
            raise ValueError("selected must be true; leave it out where other is not selected")
        if "selected" in present and "enabled" in present and not self.enabled:
            raise ValueError("other cannot be selected where it is not enabled")
        if "value" in present and "selected" not in present:
            raise ValueError("value needs selected: true beside it")
        return self


class CustomField(Body):
    """One field as it is sent: text, paragraph and date take `value`, the choosing types `options` and `other`."""

    token: str
    name: str = omittable()
    archived: bool = omittable()
    type: str = omittable()
    value: str = omittable()
    options: Annotated[list[CustomFieldOption], AfterValidator(_filled)] = omittable()
    other: CustomFieldOther = omittable()

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        present = self.model_fields_set
        chosen = {"options", "other"} & present
        if "value" in present and chosen:
            raise ValueError("takes either value or options, not both")
        if "value" in present and not self.value.strip():
            raise ValueError("value cannot be blank; leave the field out")
        if "type" not in present:
            return self
        if self.type in ("checkboxes", "radiobuttons") and "value" in present:
            raise ValueError(f"{self.type} takes options, not value")
        if self.type in ("text", "paragraph", "date") and chosen:
            raise ValueError(f"{self.type} takes value, not {' or '.join(sorted(chosen))}")
        if self.type == "date" and "value" in present:
            parse_day(self.value)
        if self.type == "radiobuttons" and self._selections() > 1:
            raise ValueError("radiobuttons can have only one option selected, other included")
        return self

    def _selections(self) -> int:
        options = self.options if "options" in self.model_fields_set else []
        other = "other" in self.model_fields_set and "selected" in self.other.model_fields_set
        return sum("selected" in option.model_fields_set for option in options) + other


class CustomFieldSection(Body):
    """A section with its fields, as it is sent; a section has at least one."""

    token: str
    name: str = omittable()
    archived: bool = omittable()
    fields: Annotated[list[CustomField], AfterValidator(_filled)]


class CustomFields(Body):
    """All sections of custom fields, as they are sent; they replace what was there."""

    sections: Annotated[list[CustomFieldSection], AfterValidator(_filled)]


class CustomFieldOptionRecord(Record):
    """An answer to choose from, as Cliniko returns it."""

    token: str | None = None
    name: str | None = None
    archived: bool | None = None
    selected: bool | None = None


class CustomFieldOtherRecord(Record):
    """The answer in the patient's own words, as Cliniko returns it."""

    enabled: bool | None = None
    archived: bool | None = None
    selected: bool | None = None
    value: str | None = None


class CustomFieldRecord(Record):
    """One field as Cliniko returns it, with its answer where there is one."""

    token: str | None = None
    name: str | None = None
    archived: bool | None = None
    type: str | None = None
    value: str | None = None
    options: list[CustomFieldOptionRecord] | None = None
    other: CustomFieldOtherRecord | None = None


class CustomFieldSectionRecord(Record):
    """A section with its fields, as Cliniko returns it."""

    token: str | None = None
    name: str | None = None
    archived: bool | None = None
    fields: list[CustomFieldRecord] | None = None


class CustomFieldsRecord(Record):
    """Custom fields as Cliniko returns them: a patient's answers, or in the settings their definition, without any."""

    sections: list[CustomFieldSectionRecord] | None = None
