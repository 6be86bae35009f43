"""The words for true and false in spreadsheets, in the languages of Europe and the most spoken ones of Asia.

A word that means true in one language and false in another is in neither set (the Albanian and the Swedish *jo*). Neither is a letter that
needs its counterpart (the S of *sí* and of *stayed*).
"""

from unicodedata import normalize

from retainstream.engine.tables.spelling import folded


def _words(text: str) -> frozenset[str]:
    return frozenset(folded(word) for word in text.split())


TRUE = _words(
    """
    true yes y t 1 1.0 on yep yeah x ✓ ✔ ☑ ✅ ○ ◯
    ja j wahr jawohl oui vrai sí si sì verdadero cierto sim verdadeiro vero certo waar sant sann sandt já satt
    igen igaz jah tõene kyllä tosi tak prawda ano áno pravda da adevărat истина да так правда точно вярно tačno točno istina
    taip tiesa jā patiesība ναι αληθές αληθής σωστό evet doğru dogru bai egia iva fíor
    نعم صحيح بله بلی آری درست ہاں جی כן אמת हाँ हां सत्य हो সত্য হ্যাঁ ஆம் ใช่ จริง có đúng ya benar oo ndiyo
    是 真 对 對 有 是的 はい 有り あり 예 네 참 있음
    """
)
"""Words that mean true, folded (see `spelling.folded`)."""

FALSE = _words(
    """
    false no n f 0 0.0 off nope ✗ ✘ ✕ ✖ ❌ ×
    nein falsch nee neen non faux falso não nao nei nej usant falskt falsk onwaar ósatt ei väär epätosi
    nem hamis nie fałsz falsz ne nepravda nu fals нет не ні ложь неправда невярно нетачно netačno netočno neistina
    melas nē nepatiess όχι οχι ψευδές ψευδής λάθος hayır hayir yanlış yanliş yanlis ez gezurra bréag
    لا خطأ نه خیر نادرست نہیں לא שקר नहीं असत्य नाही না মিথ্যা இல்லை ไม่ ไม่ใช่ เท็จ không sai tidak bukan hapana
    否 假 错 錯 無 无 不是 没有 沒有 いいえ 偽 無し なし 아니오 아니요 거짓 없음
    """
)
"""Words that mean false, folded."""


def truth_of(text: str) -> bool | None:
    """Whether a text means true or false, in any language; None if it is neither."""
    spelled = normalize("NFKC", folded(text)).removesuffix(".")
    return True if spelled in TRUE else False if spelled in FALSE else None
