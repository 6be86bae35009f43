"""Rows of a file that are no customers: totals, units, row counts, titles, and the header again.

A row is taken for a customer unless its texts leave no doubt. A customer of the name "Total" with an id of the usual kind is a customer.
"""

import re
from collections.abc import Sequence

TOTAL = "looks like a total, not a customer"
UNITS = "looks like a row of units, not a customer"
COUNT = "looks like a count of rows, not a customer"
TITLE = "looks like a title or a remark, not a customer"
HEADER = "repeats the header"

_TOTAL_WORDS = """total, totals, grand total, subtotal, sub total, sum, sums, overall, all customers, average, avg, mean,
summe, summen, gesamt, gesamtsumme, gesamtergebnis, insgesamt, zwischensumme, endsumme, durchschnitt, mittelwert,
total général, total general, sous-total, somme, ensemble, moyenne, totale, totale generale, somma, media, suma, suma total, promedio,
soma, média, razem, suma końcowa, ogółem, średnia, celkem, součet, průměr, spolu, összesen, átlag, totaal, som, eindtotaal, gemiddelde,
totalt, summa, medelvärde, i alt, gennemsnit, yhteensä, toplam, genel toplam, ortalama, итого, всего, сумма, среднее, разом, усього,
σύνολο, 合計, 総計, 小計, 平均, 总计, 合计, 总和, 小计, 平均值, 총계, 합계"""
_TOTALS = frozenset(word.strip() for word in _TOTAL_WORDS.split(","))
_NUMERAL = r"\d[\d.,' ]*"
_ROW_WORDS = (
    r"(?:rows?|records?|customers?|lines?|entries|zeilen?|datens[äa]tze?|eintr[äa]ge|kunden|lignes?|enregistrements?|clients?|filas?|"
    r"registros?|clientes?|linhas?|righe|riga|rijen|regels|rader|rækker|rivit|wiersz[ye]?|rekord(?:y|ów)|строк[аи]?|записей|записи|行|件|条)"
)
_COUNTS = re.compile(
    rf"[(\[]?\s*{_NUMERAL}\s*{_ROW_WORDS}\b.{{0,40}}|"
    rf"(?:number of |total |anzahl(?: der)? |nombre de |n[úu]mero de )?{_ROW_WORDS}\s*"
    rf"(?:count|affected|selected|returned|total)?\s*[:=]\s*{_NUMERAL}|"
    rf"(?:row ?)?(?:count|anzahl|nombre|cuenta|conteggio|aantal|antal|liczba|количество)\s*[:=]?\s*{_NUMERAL}",
    re.IGNORECASE,
)
_TOTAL_OF = re.compile(
    rf"(?:totals?|summe|gesamt)\b\s*[:=]?\s*(?:of |der |aller )?\(?(?:all )?\d*[\d.,' ]*(?:{_ROW_WORDS})?\)?"
    rf"(?:\s*[:=]?\s*{_NUMERAL})?",
    re.IGNORECASE,
)
_MADE = r"(?:generated|created|exported|printed|downloaded|extracted|updated)"
_MADE_ELSEWHERE = r"(?:erstellt|exportiert|gedruckt|généré|créé|exporté|édité|imprimé|generado|generato|gerado|wygenerowano)"
_REMARKS = re.compile(
    rf"(?:(?:report |data |file |last )?{_MADE}\s+(?:on|at|by|in|from)\b|{_MADE_ELSEWHERE}\s+(?:am|von|mit|le|par|el|por|il|da|em)\b|"
    rf"(?:{_MADE}|{_MADE_ELSEWHERE}|as of|date|period|source|notes?|remark|filters?|page|report|stand|datum|zeitraum|quelle|hinweis|seite|"
    r"bericht|période|fuente|periodo|fonte|bron|źródło)\s*:|(?:page|seite|página|pagina|strona)\s+\d+|(?:as of|stand)\s+\d|"
    r"[-=*\s]*end of (?:report|file|data|export)[-=*\s.]*|[-=*_\s]{3,}|confidential\b|vertraulich\b|copyright\b|©)",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"[\[({<]?\s*(?:in |en )?(?:%|percent|prozent|pct|[€$£¥₹]|eur|euros?|usd|gbp|chf|jpy|inr|pln|czk|sek|nok|dkk|kr|zł|kč|dollars?|cents?|"
    r"currency|months?|monate?n?|mois|meses|mesi|days?|tage?n?|jours?|d[ií]as|giorni|weeks?|wochen?|years?|yrs?|jahre?n?|ans|années|años|"
    r"anni|hours?|hrs?|h|stunden?|heures?|horas|minutes?|mins?|minuten|seconds?|secs?|sekunden?|s|ms|gb|mb|kb|tb|kwh|km|m²|m2|kg|pieces?|"
    r"pcs|stk|stück|count|#|n|no|nr|number|integer|int|float|double|decimal|numeric|string|str|text|varchar|char|boolean|bool|date|"
    r"datetime|timestamp|category|object|id|key|yes/no|y/n|0/1|true/false|ja/nein|j/n|oui/non|yyyy-mm-dd|dd/mm/yyyy|mm/dd/yyyy|"
    r"dd\.mm\.yyyy|yyyymmdd|tt\.mm\.jjjj|-+)(?:\s*(?:/|per|pro|par)\s*(?:months?|monat|mois|days?|tag|years?|jahr|mo|m|d|h))?\s*[\])}>]?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+(]?\s*[€$£¥₹]?\s*\d[\d.,' \u00a0\u202f]*\s*(?:[%€$£¥₹)]|kr|zł|[A-Z]{3})?\s*-?")
_LEAST_ALONE = 3
"""A row of one text is a remark only where the header has this many columns."""


def no_customer(record: Sequence[str], header: Sequence[str], *, id_place: int | None = None, first: bool = False) -> str:
    """What a row is that is no customer, as the end of a sentence ("looks like a total, not a customer"); empty for a customer.

    Args:
        record: the texts of the row; it may have another number of fields than the header.
        id_place: the place of the id, where there is one.
        first: the row is the first below the header, where units stand.
    """
    name = record[id_place] if id_place is not None and id_place < len(record) else record[0] if record else ""
    if not first and name and len(record) == len(header) and _is_usual(name):
        return ""
    texts = [" ".join(text.split()) for text in record]
    filled = [text for text in texts if text]
    if not filled:
        return ""
    name = texts[id_place] if id_place is not None and id_place < len(texts) else ""
    if len(filled) > 1 and _folded(texts) == _folded(header):
        return HEADER
    if first and _are_units(texts, name, id_place):
        return UNITS
    if name and not (_is_total(name) or _COUNTS.fullmatch(" ".join(filled)) or len(filled) == 1):
        return ""
    said = name or filled[0]
    if len(filled) == 1 and (len(header) >= _LEAST_ALONE or len(texts) != len(header)):
        if _COUNTS.fullmatch(said):
            return COUNT
        if _REMARKS.match(said):
            return TITLE
    if _is_sum(texts, said):
        return COUNT if _COUNTS.fullmatch(" ".join(filled)) and not _is_total(said) else TOTAL
    return ""


def _is_usual(name: str) -> bool:
    """Whether an id is so plain that no words need a look: it has a digit and no blank."""
    return name.isascii() and not name.isspace() and any(map(str.isdigit, name)) and not any(map(str.isspace, name.strip()))


def _folded(texts: Sequence[str]) -> list[str]:
    return [" ".join(text.split()).casefold() for text in texts]


def _is_total(text: str) -> bool:
    words = text.strip(":=-–—*() .").casefold()
    return words in _TOTALS or _TOTAL_OF.fullmatch(words) is not None


def _is_sum(texts: Sequence[str], said: str) -> bool:
    """Whether a row says that it sums up: nothing but numbers beside the word, and at least one cell is blank."""
    if not (_is_total(said) or _COUNTS.fullmatch(" ".join(text for text in texts if text))):
        return False
    others = [text for text in texts if text and text != said]
    return all(_NUMBER.fullmatch(text) or _is_total(text) for text in others) and len(texts) > len(others) + (1 if said in texts else 0)


def _are_units(texts: Sequence[str], name: str, id_place: int | None) -> bool:
    if id_place is not None and name and not _UNIT.fullmatch(name):
        return False
    filled = [text for text in texts if text]
    return all(_UNIT.fullmatch(text) for text in filled) and (len(filled) > 1 or not name) and not all(_is_answer(text) for text in filled)


def _is_answer(text: str) -> bool:
    """Whether a unit may as well be the value of a customer."""
    return text.casefold() in ("no", "n", "m", "s", "h", "-", "id") or set(text) == {"-"}
