"""The people, places and diary that a new demo clinic starts with; they move with the clinic's clock.

Everything is made up, and made the same from the same seed and start.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cliniko_mcp.sandbox.desk import Desk


def sow(desk: "Desk") -> None:
    """Fill an empty clinic."""
    from cliniko_mcp.sandbox.seed.account import plant_account
    from cliniko_mcp.sandbox.seed.diary import plant_diary
    from cliniko_mcp.sandbox.seed.money import plant_invoices
    from cliniko_mcp.sandbox.seed.offer import plant_offer
    from cliniko_mcp.sandbox.seed.patients import plant_patients
    from cliniko_mcp.sandbox.seed.soil import Soil
    from cliniko_mcp.sandbox.seed.staff import plant_staff

    soil = Soil(desk)
    plant_staff(soil)
    plant_offer(soil)
    plant_account(soil)
    plant_patients(soil)
    plant_diary(soil)
    plant_invoices(soil)
