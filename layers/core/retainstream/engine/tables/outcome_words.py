"""Whether a header or a value speaks of customers who left or of customers who stayed, in many languages."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from unicodedata import normalize

from retainstream.engine.tables.boolean_words import FALSE, TRUE
from retainstream.engine.tables.spelling import cleaned, folded

_HUMP = re.compile("(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\\W\\d_])(?=\\d)|(?<=\\d)(?=[^\\W\\d_])")
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ς": "σ", "ة": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "’": "'", "_": " "}
)
_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u0652]")
_UNSPACED = re.compile("[\u0590-\u06ff\u0900-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
"""Letters of languages whose words stand within longer ones, or without blanks."""
_INSIDE = 5
"""The fewest letters of a beginning that counts inside a longer word too, as `abwander` does in *Kundenabwanderung*."""


class Sense(StrEnum):
    """What a text speaks of. `NEW` is a customer who joined lately, or has not joined yet."""

    LEAVING = "leaving"
    STAYING = "staying"
    NEW = "new"


# Beginnings of words, in any spelling; a word after = must be the complete word, and + stands for a blank.
_LEAVING = """
    churn cancel attrit terminat unsubscrib lapse deactivat disconnect discontinu exit leav resign abandon disenrol =left =lost
    =loss =gone
    =quit =quits =quitter =close =closed =closure =closing =ended =expired =stopped =ceased =departed =departure =defected =defector
    =defection =withdrew =withdrawn =withdrawal =inactive =dead =died =deceased =dropped =dropout =optout =switched =switcher
    =deleted
    =unregistered opted+out opt+out ported+out port+out dropped+out moved+out moved+away walked+away
    gekündigt gekuendigt kündig kuendig abwander abgewander verlassen ausgetreten austritt verloren storn abgemeldet abmeld beendet
    beendig
    kundenverlust geschlossen deaktiv =gegangen =weg =abgang =abgänge =inaktiv =ausgeschieden =abgelaufen
    résili désabonn annul clôtur désinscri désengag =quitté =quittée =parti =partie =partis =départ =perdu =perdue =fermé =fermée
    =inactif
    =sorti =sortie
    =baja =bajas =fuga =fugado cancelad cancelac =canceló abandon =perdido =perdida desert =cerrado =cerrada rescind rescis =salió
    =inactivo
    =inactiva desvincul desafili se+fue dado+de+baja
    =saiu evasão evadi desisti desligad encerrad =perda =inativo =inativa =fechado
    disdett cessat cessazion =perso =persa =persi recess =chiuso =chiusa =uscito =uscita disattivat =inattivo =inattiva abbandon
    opgezegd opzeg vertrok vertrek beëindig weggegaan afgemeld geannuleerd =gestopt =inactief =verlaten
    uppsagd uppsagt uppsägn avslut lämnat =slutat =lämnade förlorad avregistr avhopp oppsagt oppsagd oppsig forlatt =sluttet =tapt
    opsagt opsig
    forladt afslut =tabt frameldt afmeldt utmeldt sagt+upp sagt+opp
    poistu irtisano =lähti =lähtenyt peruut päätty lopetta menetet lahku lõpeta tühista
    rezygn zrezygn =odszedł =odeszła =odeszli odejści wypowied rozwiąza zamknię utracon anulow odpływ =nieaktywny =nieaktywna
    odešel odešla odešli odchod zrušen zrušil výpověď výpoveď ukončen odhlás odišiel odišla otišao otišla otkaz odlaz raskid odjav
    napustio
    napustila odpoved zapustil zatvoren
    lemond =elment távoz felmond lemorzsol megszűnt kilép
    =plecat =plecată rezili renunț încetat =închis =pierdut dezabon =inactiv
    aizgāj pārtrauk atcel izbeig išėj nutrauk atsisak atšauk
    ушел ушла ушли отток оттек отказ расторг отключен отключил отмен закрыт уход покинул потерян выбыл отпис
    пішов пішла пішли відтік скасов розірв відключ напусна прекрат прекъсн отишао отишла раскид напусти
    αποχώρ =έφυγε =έφυγαν ακυρ διακοπ διέκοψ =χαμένος ανενεργ απώλει καταγγελ
    ayrıl iptal terk fesih feshet =kayıp kapandı kapalı kapatıl =pasif
    غادر إلغاء ألغي ألغى ملغي ملغى منسحب انسحب انسحاب تسرب فقد ترك
    छोड़ रद्द निष्क्रिय चला+गया चले+गए
    עזב עזיב נטש נטיש ביטל בוטל ביטול
    解約 退会 離脱 脱退 契約終了 離反 解除 退店 流失 离网 離網 退订 退訂 注销 註銷 取消 离开 離開 离职 销户 銷戶 退出 终止 終止 关闭
    關閉 解约 停用
    이탈 해지 탈퇴 취소 탈회 종료 떠남 떠났 퇴사 해약
    ยกเลิก ออกแล้ว เลิกใช้ ลาออก
    rời+bỏ =hủy =huỷ đã+rời rời+đi ngừng berhenti =keluar =batal
"""
_STAYING = """
    activ retain retention stay renew kept keep loyal remain alive existing subscrib current continu surviv =live
    aktiv geblieb bleib gehalten bestehend bestandskund laufend verlänger behalten =treu =treue =abonnent =abonniert
    actif =abonné =abonnée =abonnés =reste =resté =restée fidèl renouvel maintenu conserv
    vigente =alta =altas renovad permane =quedó =abonado =fiel ficou mantid ativ
    attiv rimast rinnovat mantenut =fedele abbonat
    actief gebleven behouden verlengd =trouw =abonnee
    =kvar stannat behåll förnyad beholdt fornyet forblev
    aktiiv pysy jatka aktyw został pozosta lojal przedłuż odnow utrzym
    zůstal obnov prodlouž pokrač ostao ostala ostal zadržan produžen podaljšal maradt hosszabbít
    rămas păstrat reînnoit palik
    остал актив действ лоял продл сохран текущ залиш продовж остан
    ενεργ παρέμειν παραμέν ανανέω πιστ
    aktif kaldı devam mevcut yenile =abone
    نشط باق بقي مستمر محتفظ
    सक्रिय जारी बना+हुआ
    פעיל נשאר נותר
    継続 更新 契約中 在籍 有効 利用中 存続 残留 留存 在网 在網 活跃 活躍 续费 續費 续约 續約 正常 现有 現有 有效 存量 在用
    유지 잔존 활성 정상 이용중 이용+중 갱신 재계약 잔류
    ใช้งานอยู่ ยังอยู่ ต่ออายุ
    ở+lại đang+hoạt bertahan tetap
"""
_NEW = """
    joined joiner =join =new =newly =prospect =prospects =lead =leads =trial =open =pending =onboarding =signup =upcoming
    =neu =neue =neuer neukund beigetreten =offen interessent =nouveau =nouvelle =nouveaux =nuevo =nueva =novo =nova =nuovo =nuova
    =nieuw
    =nieuwe =ny =nye =nya =uusi =nowy =nowa =nový =nov =nou =новый =новая =новий =нов =νέος =νέα =yeni جديد नया חדש
    新規 加入 入会 新客 新增 新用户 新入 試用 试用 신규 가입 ใหม่ =mới =baru
"""
_DENIALS = """
    no not non never none without neither nor cannot declined refused rejected failed nicht kein keine keiner keinen ohne nie
    niemals
    pas sans jamais aucun aucune ne sin nunca sem não nenhum senza mai niet geen nooit zonder ikke ikkje ej inte icke aldri aldrig
    uten uden utan
    ei nej nei nem nincs nu fără bez nav nera не нет ні без ни никогда няма δεν δε μη μην όχι χωρίς değil yok hayır
    لا لم لن غير ليس לא không chưa tidak belum bukan
"""
_FORMER = """
    former ex ehemalig ehemalige ehemaliger ancien ancienne antiguo antigua antigo antiga voormalig tidigare
    tidligere były była bývalý бывший
"""
_AFTERWARDS = "prevented avoided averted free saved rescued reversed revoked undone verhindert vermieden évité evitado"
_STARTS = "un in non not no never de des dis anti ex nicht kein nao ne nie não niet ikke inte epä не ни αν"
_SIGN_BEFORE = re.compile("(?:未|非|没有|沒有|没|沒|不|미|비|안|ไม่|नहीं) ?$")
_SIGN_AFTER = re.compile("なし|無し|ない|せず|ません|안함|안 함|않|없|아님|नहीं|[無无]$")
_TURKISH_STEM = re.compile("ayril|iptal|terk|fesih|feshet|kapa")
_TURKISH_DENIAL = re.compile("m[ea]di|m[ea]y[ea]n|m[ea]mis|m[ea]z")
_WHETHER = re.compile(
    "是否|与否|與否|の?有無|有无|여부|유무|かどうか"
    r"|\b(?:or|oder|ou|o|of|eller|lub|или|veya|vagy) (?:not|nicht|non|no|nao|niet|ikke|inte|nie|нет|не|ei|degil)\b"
)
_SHORT_NOT = re.compile(r"\b(did|has|is|was|does|do|have|had|wo)n'?t\b")
_CODE = re.compile(r"\b(?:([01]) ?[=:] ?([^\W\d]+)|([^\W\d]+) ?[=:] ?([01])(?!\w))")

_UNKNOWN = """
    unknown; unclear; undetermined; undecided; not known; not yet known; not available; not applicable; not sure; n.a.; n. a.; tbd
    t.b.d.; tbc
    tba; pending; open; -; --; ---; –; —; ??; ???; .; ..; ...; …; *; (blank); blank; empty; missing; (null); #value!; #ref!; #div/0!
    #name?; #num!
    unbekannt; offen; noch offen; ausstehend; in klärung; unklar; k.a.; k. a.; keine angabe; nicht bekannt; n.v.; nicht verfügbar
    steht aus
    inconnu; inconnue; non connu; à déterminer; en attente; en cours; indéterminé; non renseigné; nc; n.c.
    desconocido; desconocida; pendiente; por determinar; sin datos; sin dato; no disponible; se desconoce; n/d; nd; s/d
    desconhecido; desconhecida; pendente; a definir; sem dados; não informado; indefinido
    sconosciuto; sconosciuta; ignoto; in attesa; da definire; non noto; in sospeso; n.d.
    onbekend; nog open; in behandeling; n.n.b.; n.v.t.; nog niet bekend
    okänd; okänt; ej känt; ukjent; ukendt; avventer; afventer; ikke kendt; tuntematon; avoin; ei tiedossa; teadmata
    nieznany; nieznane; nieznana; brak danych; w toku; nie wiadomo; b.d.; neznámý; neznámé; neznámo; není známo; neznano; nepoznato
    ismeretlen
    függőben; necunoscut; nežinoma; nezināms; неизвестно; неизвестен; нет данных; не определено; н/д; невідомо; немає даних
    άγνωστο; άγνωστος; εκκρεμεί; bilinmiyor; bilinmeyen; belirsiz; beklemede
    غير معروف; مجهول; अज्ञात; לא ידוע; chưa rõ; không rõ; ไม่ทราบ; tidak diketahui; belum diketahui
    不明; 未定; 確認中; 未確認; 未知; 待定; 待确认; 待確認; 미정; 미확인; 알수없음; 알 수 없음; 불명
"""
UNKNOWN = frozenset(folded(word) for word in re.split("[;\n]", _UNKNOWN) if word.strip())
"""Spellings of an outcome that is not known, folded."""


@dataclass
class _Hit:
    """A word of a sense at a place of a text. The text may deny it."""

    place: int
    end: int
    sense: Sense
    denied: bool = False

    @property
    def says(self) -> Sense:
        opposite = {Sense.LEAVING: Sense.STAYING, Sense.STAYING: Sense.LEAVING}
        return opposite.get(self.sense, self.sense) if self.denied else self.sense


@dataclass(frozen=True)
class _Stem:
    text: str
    complete: bool
    sense: Sense

    def begins(self, word: str) -> bool:
        return word == self.text if self.complete else word.startswith(self.text)


@lru_cache(4096)
def sense_of(text: str) -> Sense | None:
    """What a value speaks of; None if no word is known, or if two of them contradict each other. "Not churned" speaks of staying."""
    said = {hit.says for hit in _hits(_plain(text))}
    return said.pop() if len(said) == 1 else None


def decides(header: str) -> bool:
    """Whether a header speaks of leaving, and neither denies it nor speaks of staying. True in its column then means that the customer
    left."""
    plain = _plain(header)
    for number, word, other, its in _CODE.findall(plain):
        meant = truth_or_sense(word or other)
        if meant is not None and meant != ((number or its) == "1"):
            return False
    hits = _hits(_CODE.sub(" ", plain))
    return {hit.says for hit in hits} == {Sense.LEAVING} and any(hit.sense is Sense.LEAVING and not hit.denied for hit in hits)


def truth_or_sense(word: str) -> bool | None:
    """True for a word for true or for leaving, False for one for false or for staying."""
    if word in TRUE | _YES or word in FALSE | _NO:
        return word in TRUE | _YES
    return {Sense.LEAVING: True, Sense.STAYING: False}.get(sense_of(word) or Sense.NEW)


def _plain(text: str) -> str:
    """The text in lower case, words apart, without accents in alphabets that have them."""
    spaced = _HUMP.sub(" ", cleaned(text)).casefold().translate(_LETTERS)
    spaced = _SHORT_NOT.sub(r"\1 not", spaced)
    return normalize("NFC", _ACCENTS.sub("", normalize("NFD", spaced))).translate(_LETTERS)


def _hits(plain: str) -> list[_Hit]:
    """The known words of a text, and which of them it denies."""
    text = _WHETHER.sub(" ", plain)
    words = [(match.start(), match.group()) for match in re.finditer(r"[^\W_]+", text)]
    hits = sorted([*_in_words(words), *_in_phrases(text)], key=lambda hit: hit.place)
    former = [place for place, word in words if word in _FORMER_WORDS]
    if former and not hits:
        return [_Hit(former[0], former[0], Sense.LEAVING)]
    for place in [*_denials(words), *former]:
        later = next((hit for hit in hits if hit.place > place), None)
        if denied := later or _last_before(place, hits):
            denied.denied = True
    for place, word in words:
        if word in _AFTERWARDS_WORDS and (earlier := _last_before(place, hits)):
            earlier.denied = True
    for hit in hits:
        if _TURKISH_STEM.match(text, hit.place) and _TURKISH_DENIAL.search(text, hit.place):
            hit.denied = True
    return hits


def _last_before(place: int, hits: list[_Hit]) -> _Hit | None:
    return next((hit for hit in reversed(hits) if hit.place < place), None)


def _in_words(words: Iterable[tuple[int, str]]) -> Iterator[_Hit]:
    """For each word the known one that it begins with, or that begins earliest within it; denied by what stands before it in the word."""
    for place, word in words:
        found = []
        for stem in _WORDS:
            start = word.find(stem.text)
            before, rest = word[:start], word[start:]
            denied = before in _START_WORDS
            if start >= 0 and (stem.begins(rest) if not before or denied else _stands_inside(stem)):
                found.append((start, -len(stem.text), stem.sense, denied))
        if found:
            _, _, sense, denied = min(found)
            yield _Hit(place, place + len(word), sense, denied)


def _stands_inside(stem: _Stem) -> bool:
    return not stem.complete and len(stem.text) >= _INSIDE


def _in_phrases(text: str) -> Iterator[_Hit]:
    """Phrases, and words of languages without blanks; denied by a sign right before them, or by one soon after them."""
    for stem in _PHRASES:
        for match in re.finditer(re.escape(stem.text), text):
            denied = bool(_SIGN_BEFORE.search(text[: match.start()]) or _SIGN_AFTER.search(text[match.end() : match.end() + 8]))
            yield _Hit(match.start(), match.end(), stem.sense, denied)


def _denials(words: list[tuple[int, str]]) -> Iterator[int]:
    """The places of words that deny another. Of the pair yes and no, as in "churned (yes/no)", the no denies nothing."""
    for number, (place, word) in enumerate(words):
        beside = {words[index][1] for index in (number - 2, number - 1, number + 1, number + 2) if 0 <= index < len(words)}
        if word in _DENIAL_WORDS and not (word in _NO and beside & _YES):
            yield place


def _listed(text: str) -> frozenset[str]:
    return frozenset(_plain(word) for word in text.split())


def _stems() -> Iterator[_Stem]:
    for sense, text in ((Sense.LEAVING, _LEAVING), (Sense.STAYING, _STAYING), (Sense.NEW, _NEW)):
        for word in text.split():
            yield _Stem(_plain(word.removeprefix("=").replace("+", " ")), word.startswith("="), sense)


_WORDS = [stem for stem in _stems() if " " not in stem.text and not _UNSPACED.search(stem.text)]
_PHRASES = [stem for stem in _stems() if " " in stem.text or _UNSPACED.search(stem.text)]
_DENIAL_WORDS, _FORMER_WORDS, _AFTERWARDS_WORDS, _START_WORDS = map(_listed, (_DENIALS, _FORMER, _AFTERWARDS, _STARTS))
_YES, _NO = ({_plain(word) for word in words if len(word) > 1 and not word[0].isdigit()} for words in (TRUE, FALSE))
