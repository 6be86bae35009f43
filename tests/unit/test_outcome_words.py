"""Headers and values that speak of leaving and of staying."""

import pytest

from retainstream.engine.tables.boolean_words import FALSE, TRUE
from retainstream.engine.tables.outcome_words import Sense, decides, sense_of

LEAVING = """
    Churned; Cancelled; canceled; Left; left the company; Attrited Customer; Exited; Lost; Closed; Terminated; Unsubscribed; Inactive
    Not renewed; non-renewed; did not renew; No longer active; no longer a subscriber; Former customer; Former subscriber; Ex-Abonnent
    Discontinued; Deactivated; Voluntary churn; Involuntary churn; 1 - churned; Gekündigt; gekuendigt; KÜNDIGUNG; Kündigung eingegangen
    abgewandert; Kundenabwanderung; ausgetreten; inaktiv; nicht aktiv; nicht verlängert; Résilié; resilie; Désabonné; parti; perdu
    non renouvelé; inactif; Baja; Cancelado; Abandonó; Saiu; Evadido; não renovado; Disdetta; Perso; Abbandonato; Opgezegd; vertrokken
    Uppsagd; Lämnat; Opsagt; Sagt opp; Irtisanottu; poistunut; Odszedł; zrezygnował; ODSZEDŁ; Odešel; zrušeno; Otkazao; Lemondta; Plecat
    reziliat; ушёл; ушел; Отток; отказался; не активен; неактивный; Пішов; напуснал; Αποχώρησε; έφυγε; ανενεργός; Ayrıldı; AYRILDI
    İptal; iptal edildi; غادر; ملغي; غير نشط; المغادرة; रद्द; छोड़ दिया; עזב; 解約; 解約済; 退会; 離脱; 未更新; 更新なし; 継続していない
    流失; 已流失; 离网; 不活跃; 未续费; 이탈; 해지; 탈퇴; 비활성; 미갱신; 유지 안함; ยกเลิก; Đã hủy; berhenti; opted out; Ported Out
    refused renewal
"""
STAYING = """
    Not churned; Non-churn; nonchurn; unchurned; no churn; NoChurn; NotChurned; not_churned; never left; hasn't left; didn't churn
    Active; Stayed; Retained; Existing Customer; Subscribed; Subscriber; Renewed; alive; Loyal; active - not cancelled; churn prevented
    Reactivated; nicht gekündigt; ungekündigt; keine Kündigung; Noch nicht gekündigt; aktiv; Geblieben; Bestandskunde; verlängert
    non résilié; pas résilié; abonné; Abonnée; actif; resté; Activo; No cancelado; Sin baja; Alta; Ativo; não cancelado; Permaneceu
    Attivo; non disdetto; rimasto; Actief; niet opgezegd; Aktiv; ej uppsagd; ikke opsagt; Aktiivinen; ei irtisanottu; Aktywny
    nie odszedł; Został; neodešel; aktivní; maradt; Activ; nu a plecat; остался; не ушёл; активный; действующий; не отказался; залишився
    Ενεργός; δεν έφυγε; Aktif; ayrılmadı; iptal etmedi; iptal edilmedi; Devam ediyor; نشط; لم يغادر; सक्रिय; नहीं छोड़ा; छोड़ा नहीं
    פעיל; לא עזב; 継続; 契約中; 未解約; 解約なし; 解約していない; 利用中; 留存; 未流失; 没有流失; 在网; 续费; 유지; 정상; 미해지
    해지 안함; 해지하지 않음; 이용 중; ไม่ยกเลิก; chưa hủy
"""
NEW = """
    Joined; New; new customer; Prospect; Neukunde; Nouveau; 新規; Nuevo; Новый; 신규
"""
DECIDING = """
    Churn; churned; Churn?; is_churn; IsChurn; CHURN_FLAG; Churn Value; Churn Label; Exited; Attrition; Attrition_Flag; left
    customer_left; Cancelled; subscription_cancelled; account_closed; lost; has_left; unsubscribed; inactive; Churn (Yes/No)
    Churn (1=yes, 0=no); churned (y/n); churned or not; whether churned or not; Gekündigt; gekuendigt; Gekündigt (ja/nein); Kündigung
    Kündigung ja/nein; abgewandert; Kundenabwanderung; Résilié; resiliation; résilié (oui/non); désabonné; Départ; Baja; cancelado
    Abandono; Cancelou; evasão; disdetta; abbandono; opgezegd; uppsagd; opsagt; odszedł; Odejście; rezygnacja; odešel; odchod; otkaz
    lemondott; plecat; отток; ушёл; Ушел; Уход; відтік; Αποχώρηση; ayrıldı; İptal; ayrildi_mi; غادر; تسرب; रद्द; 解約; 解約フラグ
    解約有無; 解約の有無; 退会; 離脱; 是否流失; 流失; 流失标签; 是否离网; 流失与否; 이탈; 해지여부; 이탈여부; 해지; Left_Company
    Terminated; lapsed; deactivated; former_customer; churn30d; ChurnNext30Days; did_churn
"""
UNDECIDED = """
    Subscriber; not_churned; still_customer; Renewal; alive; abonné; active; retained; non-churn; no_churn; unchurned; nochurn
    NotChurned; nicht gekündigt; ungekündigt; nicht_gekuendigt; non résilié; retention; Subscribed; customer; TARGET; label; y; status
    outcome; is_active; churn_prevented; still_active; stayed; kept; 未解約; 未流失; 미해지; 继续; не ушёл; nie odszedł; não cancelado
    sin baja; Kunde; aktiv; Churn (0=yes, 1=no); Churn (1=stayed, 0=left); churn (1: no, 0: yes); active_or_churned; never_churned
    churn_free; didnt_churn; hasn't left; not renewed; is_member; renewed; loyal; ayrılmadı; iptal_etmedi; لم يغادر; 継続; 続約; 留存
    유지
"""


def words(text: str) -> list[str]:
    return [word for line in text.strip().splitlines() for word in line.strip().split("; ")]


@pytest.mark.parametrize(("text", "sense"), [(LEAVING, Sense.LEAVING), (STAYING, Sense.STAYING), (NEW, Sense.NEW)])
def test_values_speak_of_leaving_and_staying_in_many_languages(text: str, sense: Sense) -> None:
    assert {word: sense_of(word) for word in words(text)} == dict.fromkeys(words(text), sense)
    assert {word: sense_of(word.upper()) for word in words(text) if word == word.upper().lower()} == {
        word: sense for word in words(text) if word == word.upper().lower()
    }


def test_what_speaks_of_neither_or_of_both_has_no_sense() -> None:
    for word in ("", "1", "Basic", "Suspended", "Price", "active or cancelled", "Kunde", "2024-01-31", "🙂"):
        assert sense_of(word) is None, word


def test_only_a_header_that_speaks_of_leaving_and_does_not_deny_it_decides() -> None:
    assert [header for header in words(DECIDING) if not decides(header)] == []
    assert [header for header in words(UNDECIDED) if decides(header)] == []


def test_no_word_is_both_true_and_false() -> None:
    assert not TRUE & FALSE
