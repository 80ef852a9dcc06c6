"""How much one operation costs of the allowance of requests."""

from dataclasses import dataclass


@dataclass(slots=True)
class RequestCount:
    """How many requests one operation has sent, repeats and pages included; the rate limit's transport counts them."""

    sent: int = 0
