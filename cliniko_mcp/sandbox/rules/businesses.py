"""Businesses: label and country, the two names of a time zone that go together, a logo that is never read back."""

from typing import Final

from cliniko_mcp.cliniko import time_zones
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.countries import COUNTRIES
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.validation import NOT_LISTED

RULES: Final = Rulebook[RequestContext]()


@RULES.on("businesses", "create", "update")
def complete_business(context: RequestContext, change: Change) -> None:
    """The derived fields; a label takes precedence over an IANA name, an unknown zone is 422.

    Source: cliniko-api.md#staff-and-sites.
    """
    new = change.new
    new["label"] = new.get("display_name") or new.get("business_name")
    if change.sets("country_code"):
        new["country"] = COUNTRIES.get(str(new.get("country_code")))
    if change.sets("remove_logo") and new.pop("remove_logo") is True:
        new["logo"] = None
    _complete_zone(change)


def _complete_zone(change: Change) -> None:
    new, label, name = change.new, change.body.get("time_zone"), change.body.get("time_zone_identifier")
    if isinstance(label, str):
        name = time_zones.LABELS.get(label)
        if name is None:
            change.errors["time_zone"] = NOT_LISTED
            return
    elif isinstance(name, str):
        if not time_zones.is_identifier(name):
            change.errors["time_zone_identifier"] = NOT_LISTED
            return
        label = time_zones.label_of(name)
    elif not change.sets("time_zone") and not change.sets("time_zone_identifier"):
        return
    new["time_zone"], new["time_zone_identifier"] = label, name
