"""The comparison with other libraries: its tables, ranks and targets."""

import pytest

from bench.accuracy import PAGE, main, stored
from bench.accuracy_figures import Kept, Line, Result, lines, markdown, mean_ranks, missed
from bench.pages import between


def result(roc_auc: float, log_loss: float = 0.4, ece: float = 0.01, seconds: float = 40.0) -> Result:
    return {
        "roc_auc": roc_auc,
        "log_loss": log_loss,
        "ece": ece,
        "rows": 5_000,
        "seconds": seconds,
        "processor_seconds": seconds,
        "load": 0.0,
        "fit": "",
    }


def of(table: str, ours: Result) -> Kept:
    theirs = {"xgboost": 0.80, "lightgbm": 0.81, "catboost": 0.82, "autogluon": 0.83}
    return {table: {"ours": {"0": ours}, **{name: {"0": result(auc, log_loss=0.5)} for name, auc in theirs.items()}}}


def test_it_says_which_table_it_skips(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETAINSTREAM_DATA", raising=False)
    assert main(["telco_ibm", "--rows", "300"]) == 0
    assert "telco_ibm: skipped, because the variable RETAINSTREAM_DATA does not name the folder" in capsys.readouterr().out


def test_the_page_has_the_figures_of_the_file() -> None:
    page = PAGE.read_text()
    assert between(page, "accuracy", markdown(stored())) == page


def test_a_model_that_is_first_misses_no_target() -> None:
    assert missed(list(lines(of("first", result(0.84))))) == []


def test_each_target_that_is_missed_has_a_sentence() -> None:
    sentences = missed(list(lines(of("last", result(0.79, log_loss=0.6, ece=0.03, seconds=70)))))
    assert sentences == [
        "last: the AUC is 0.0300 below the best single model; at most 0.002 is the target.",
        "last: the ECE is 0.0300; at most 0.02 is the target.",
        "last: a fold takes 70 s; at most 60 s is the target.",
        "AUC: the mean rank is 5.00; AutoGluon is first with 1.00.",
        "log loss: the mean rank is 5.00; XGBoost is first with 2.50.",
    ]


def test_autogluon_is_no_single_model_and_equal_figures_share_a_rank() -> None:
    ours: Line = next(line for line in lines(of("table", result(0.83, log_loss=0.5))) if line.method == "ours")
    assert ours.above_best == pytest.approx(0.01)
    assert (ours.rank_roc_auc, ours.rank_log_loss) == (1.5, 3.0)


def test_only_folds_of_every_method_and_tables_of_every_method_are_compared() -> None:
    kept = of("complete", result(0.84)) | {"alone": {"ours": {"0": result(0.7)}}}
    kept["complete"]["ours"]["1"] = result(0.5)
    compared = list(lines(kept))
    assert [(line.folds, line.roc_auc) for line in compared if line.method == "ours"] == [(1, 0.84), (1, 0.7)]
    assert mean_ranks(compared)["ours"][0] == 1.0
    assert missed(compared) == ["alone: not measured: XGBoost, LightGBM, CatBoost, AutoGluon."]
