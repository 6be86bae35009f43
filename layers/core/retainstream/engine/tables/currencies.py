"""The signs, codes and words of currencies in a file's cells."""

_CODES = (
    "AED AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HRK HUF IDR ILS INR ISK JPY KES KRW KWD LKR MAD MXN MYR NGN NOK NPR NZD "
    "PEN PHP PKR PLN QAR RMB RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD UYU VND ZAR"
)
_SIGNS = {
    "$": "$",
    "dollar": "$",
    "dollars": "$",
    "us$": "USD",
    "a$": "AUD",
    "au$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "nz$": "NZD",
    "hk$": "HKD",
    "s$": "SGD",
    "sg$": "SGD",
    "nt$": "TWD",
    "mx$": "MXN",
    "r$": "BRL",
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "£": "GBP",
    "pound": "GBP",
    "pounds": "GBP",
    "fr": "CHF",
    "sfr": "CHF",
    "kr": "kr",
    "zł": "PLN",
    "zl": "PLN",
    "kč": "CZK",
    "ft": "HUF",
    "lei": "RON",
    "лв": "BGN",
    "₽": "RUB",
    "руб": "RUB",
    "₴": "UAH",
    "грн": "UAH",
    "₺": "TRY",
    "tl": "TRY",
    "₹": "INR",
    "rs": "Rs",
    "¥": "¥",
    "円": "JPY",
    "元": "CNY",
    "₩": "KRW",
    "원": "KRW",
    "₫": "VND",
    "đ": "VND",
    "฿": "THB",
    "₱": "PHP",
    "₪": "ILS",
    "₦": "NGN",
    "rp": "IDR",
    "rm": "MYR",
    "s/": "PEN",
}
_SHARED = {
    "$": frozenset({"USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN", "CLP", "COP", "UYU"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "Rs": frozenset({"INR", "PKR", "LKR", "NPR"}),
    "¥": frozenset({"JPY", "CNY"}),
}
_CURRENCIES = {code.lower(): code for code in _CODES.split()} | {"rmb": "CNY"} | _SIGNS
_NAMES = frozenset(_CURRENCIES.values())


def currency_in(text: str) -> str:
    """The currency that a text such as "€", "EUR" or "kr." spells: its code, or the sign that several share; "" for other texts."""
    if text == "R":
        return "ZAR"
    return _CURRENCIES.get(text.casefold().rstrip("."), "")


def is_currency(name: str) -> bool:
    """Whether this is the name of a currency, as `currency_in` returns it."""
    return name in _NAMES


def may_be_same(one: str, other: str) -> bool:
    """Whether two currencies may be the same: a sign that several share stands for any of them."""
    return one == other or other in _SHARED.get(one, ()) or one in _SHARED.get(other, ())
