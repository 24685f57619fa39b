"""The container's resources: amounts as quantities, without what the Go extension's chart set."""

from __future__ import annotations

from decimal import Decimal

from reactor.install.model import Amounts, Resources

Quantities = dict[str, dict[str, str]]


def quantities(given: Resources) -> Quantities:
    """What the values ask for; amounts that are absent or empty are left out."""
    requests, limits = dict(given.requests or {}), dict(given.limits or {})
    # 20Mi killed even the Go adaptor; its limit of CPU came along with it.
    if limits.get("memory") == "20Mi":
        limits["memory"] = "384Mi"
        if limits.get("cpu") == "100m":
            del limits["cpu"]
    if requests.get("memory") == "20Mi":
        requests["memory"] = "128Mi"
    found = {"requests": _set(requests), "limits": _set(limits)}
    return {kind: amounts for kind, amounts in found.items() if amounts}


def _set(amounts: Amounts) -> dict[str, str]:
    return {
        name: amount if isinstance(amount, str) else _written(amount)
        for name, amount in amounts.items()
        if amount is not None and amount != ""
    }


def _written(amount: float) -> str:
    """A number as Go prints it: an exponent for what is smaller than 1e-4 or not below 1e21."""
    if isinstance(amount, int) or amount.is_integer():
        return str(int(amount))
    number = Decimal(repr(amount)).normalize()
    exponent = number.adjusted()
    if exponent >= -4 and exponent < 21:
        return f"{number:f}"
    first, *rest = map(str, number.as_tuple().digits)
    sign = "-" if number < 0 else ""
    digits = f"{first}.{''.join(rest)}" if rest else first
    return f"{sign}{digits}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"
