"""Amounts of money, for people: a job costs so little that two places would show none."""

PLACES_OF_SMALL = 6
PLACES = 2
SMALL = 1


def usd(amount: float) -> str:
    """Write an amount: a dollar and more to the cent, less than that to a ten-thousandth of a cent."""
    return f"{amount:,.{PLACES if amount >= SMALL else PLACES_OF_SMALL}f} USD"
