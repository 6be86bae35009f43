"""Writes engine/tables/month_names.py from the names in CLDR: `uv run --with babel python -m tools.month_names`."""

from collections import defaultdict
from textwrap import indent, wrap

from babel import Locale

from tools.openapi_document import ROOT

LANGUAGES = "en de fr es it pt nl sv da nb fi et lv lt pl cs sk hu ro sl sr_Latn sr bg ru uk el tr ca eu is id"
"""Languages in which no month has the name of another month elsewhere: in Croatian listopad is October, in Polish November."""
MORE = {1: "jän jänner", 2: "feber", 3: "mrz mär", 9: "sept", 10: "okt", 12: "dez"}
"""Further spellings in files."""
HEADER = '''"""The names of months in many languages; written by tools/month_names.py from CLDR."""

_NAMES = (
'''
FOOTER = ''')
MONTHS = {name: month for month, names in enumerate(_NAMES, start=1) for name in names.split()}
"""The number of a month by its name or abbreviation, folded (see `spelling.folded`) and without a point at the end."""
'''


def main() -> None:
    names: defaultdict[int, set[str]] = defaultdict(set)
    for language in LANGUAGES.split():
        months = Locale.parse(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for month, name in months[context][width].items():
                    spelled = name.split()[-1].removeprefix("d’").casefold().rstrip(".")
                    if spelled.isalpha():
                        names[month].add(spelled)
    for month, more in MORE.items():
        names[month] |= set(more.split())
    if len(set.union(*names.values())) != sum(map(len, names.values())):
        raise ValueError("a name stands for two months")
    lines = "".join(
        f'    """\n{indent("\n".join(wrap(" ".join(sorted(names[month])), 130)), "    ")}\n    """,\n' for month in range(1, 13)
    )
    (ROOT / "layers/core/retainstream/engine/tables/month_names.py").write_text(HEADER + lines + FOOTER)


if __name__ == "__main__":
    main()
