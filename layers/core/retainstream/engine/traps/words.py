"""The words of a column's header."""

import re
import unicodedata

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_LEAVING = frozenset(
    {"churn", "churned", "cancel", "cancelled", "canceled", "cancellation", "terminated", "termination", "left", "leaving", "leave"}
    | {"exit", "exited", "closed", "closure", "closing", "attrition", "attrited", "lapsed", "deactivated", "deactivation", "unsubscribed"}
    | {"disconnected", "disconnect", "winback", "lost"}
)
_AMENDS = frozenset(
    {"refund", "refunds", "refunded", "penalty", "penalties", "compensation", "settlement", "chargeback", "chargebacks", "goodwill"}
    | {"writeoff", "erstattung", "kulanz", "remboursement", "reembolso", "rimborso"}
)
_OFFERS = frozenset({"offer", "retention", "winback", "retain", "save", "termination", "cancellation", "exit"})
_COSTS = frozenset({"cost", "costs", "fee", "fees", "amount", "value", "charge", "offer", "kosten", "cout", "costo", "coste"})
_COMMON = frozenset({"customer", "status", "target", "label", "value", "flag", "class", "account"})


def spelled_words(header: str) -> list[str]:
    """The words of a header as it spells them: `TotalCharges_EUR` → Total, Charges, EUR."""
    return _WORDS.findall(in_ascii(header))


def words_of(header: str) -> list[str]:
    """The words of a header in lower case: `TotalCharges_EUR` → total, charges, eur."""
    return [word.lower() for word in spelled_words(header)]


def in_ascii(text: str) -> str:
    """The text without accents and without characters that ASCII does not have."""
    plain: str = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return plain


def speaks_of_leaving(header: str, label: str) -> bool:
    """Whether a header shares a specific word with the label's header, or has a word for leaving."""
    specific = {word for word in words_of(label) if len(word) > 3} - _COMMON
    return bool((specific | _LEAVING) & set(words_of(header)))


def speaks_of_the_cost_of_leaving(header: str) -> bool:
    """Whether a header speaks of money that is spent because a customer leaves, such as a refund or the cost of a retention offer."""
    words = set(words_of(header))
    return bool(_AMENDS & words) or any(_COSTS & words - {word} for word in _OFFERS & words)
