"""Files as editors, databases and spreadsheets of many countries write them."""

import io
from collections.abc import Sequence
from datetime import date, datetime, time

from openpyxl import Workbook

COUNTRIES = {
    "German": ("Kundennummer;Tarif;Gebühr;Ort;Gekündigt", ("München", "Köln", "Gießen"), ("Ja", "Nein"), ("cp1252", "mac_roman", "cp850")),
    "French": ("Numéro;Formule;Prix;Ville;Résilié", ("Orléans", "Besançon", "Nîmes"), ("Oui", "Non"), ("cp1252", "mac_roman", "cp850")),
    "Spanish": ("Número;Plan;Precio;Ciudad;Baja", ("Málaga", "Logroño", "Cádiz"), ("Sí", "No"), ("cp1252",)),
    "Portuguese": ("Número;Plano;Preço;Cidade;Saiu", ("São Paulo", "Brasília"), ("Sim", "Não"), ("cp1252",)),
    "Danish": ("Kundenr;Plan;Gebyr;By;Opsagt", ("Århus", "København"), ("Ja", "Nej"), ("cp1252",)),
    "Polish": ("Numer;Taryfa;Opłata;Miasto;Odszedł", ("Łódź", "Kraków", "Gdańsk"), ("Tak", "Nie"), ("cp1250", "iso8859_2", "cp852")),
    "Czech": ("Číslo;Tarif;Cena;Město;Odešel", ("Plzeň", "České Budějovice"), ("Ano", "Ne"), ("cp1250", "iso8859_2")),
    "Hungarian": ("Ügyfélszám;Csomag;Díj;Város;Kilépett", ("Győr", "Székesfehérvár"), ("Igen", "Nem"), ("cp1250",)),
    "Russian": ("Номер;Тариф;Плата;Город;Ушёл", ("Москва", "Казань"), ("Да", "Нет"), ("cp1251", "koi8_r", "cp866")),
    "Ukrainian": ("Номер;Тариф;Плата;Місто;Пішов", ("Київ", "Львів"), ("Так", "Ні"), ("cp1251",)),
    "Japanese": ("顧客番号;プラン;月額料金;地域;解約", ("東京", "大阪", "札幌"), ("はい", "いいえ"), ("cp932", "euc_jp", "gbk")),
    "Chinese": ("客户编号;套餐;费用;城市;流失", ("北京", "上海", "广州"), ("是", "否"), ("gbk",)),
    "Korean": ("고객번호;요금제;요금;도시;이탈", ("서울", "부산"), ("예", "아니오"), ("cp949",)),
    "Greek": ("Αριθμός;Πρόγραμμα;Τιμή;Πόλη;Έφυγε", ("Αθήνα", "Πάτρα"), ("Ναι", "Όχι"), ("cp1253",)),
    "Turkish": ("Müşteri No;Tarife;Ücret;Şehir;Ayrıldı", ("İstanbul", "Eskişehir", "Muğla"), ("Evet", "Hayır"), ("cp1254",)),
    "Lithuanian": ("Numeris;Planas;Kaina;Miestas;Išėjo", ("Šiauliai", "Klaipėda"), ("Taip", "Ne"), ("cp1257",)),
    "English": ("id;plan;fee;note;left", ("it’s “fine”", "café", "£20 off"), ("yes", "no"), ("cp1252", "mac_roman")),
}
"""Header, towns, words of the outcome, and encodings by country."""


def country_text(country: str, rows: int = 300) -> str:
    """A table in the words of a country, with its decimal comma."""
    header, towns, (yes, no), _ = COUNTRIES[country]
    lines = [f"K-{n:05};{('Basic', 'Plus')[n % 2]};{n % 97},{n % 10}5;{towns[n % len(towns)]};{no if n % 3 else yes}" for n in range(rows)]
    return "\r\n".join([header, *lines, ""])


def churn_lines(rows: int = 300, separator: str = ",") -> list[str]:
    """A plain table: header and customers, a third of whom left."""
    lines = [
        separator.join(
            (f"K-{n:05}", ("Basic", "Plus", "Pro")[n * n % 3], str(n * 7 % 73), f"{n * 37 % 120}.5", str(n % 10), "no" if n % 3 else "yes")
        )
        for n in range(1, rows + 1)
    ]
    return [separator.join(("id", "plan", "tenure", "fee", "calls", "left")), *lines]


def workbook(rows: Sequence[Sequence[object]], *, formats: dict[int, str] | None = None, others: Sequence[str] = ()) -> bytes:
    """An Excel workbook with these rows in its first sheet; `formats` are number formats by column, counted from 1."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Customers"
    for row in rows:
        sheet.append(list(row))
    for column, form in (formats or {}).items():
        for place in range(1, sheet.max_row + 1):
            sheet.cell(place, column).number_format = form
    for name in others:
        book.create_sheet(name).append(["x"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


TYPED = (
    ("id", "since", "seen", "fee", "share", "active", "note"),
    (7, date(2026, 1, 31), datetime.combine(date(2026, 1, 31), time(14, 30)), 9.5, 0.1 + 0.2, True, "two\nlines"),
    (12, date(2025, 2, 1), datetime.combine(date(2025, 2, 1), time()), 1.234, 1e21, False, None),
    (123, None, None, 20, -3, None, "not a formula"),
)
"""Rows of typed cells."""
