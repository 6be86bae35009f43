"""A tuned model of another library on one fold.

`rivals_job.py METHOD TABLE.csv ROWS.npz ANSWER.json SECONDS [COLUMN…]` reads the table without the named columns, learns the rows `learned`
of ROWS.npz with their outcomes `churned`, and writes the probabilities of the rows `judged`. SECONDS are those of processor time for
tuning: settings drawn at random, each with early stopping on two inner folds of the learned rows, and a last fit of the best on all of
them. AutoGluon has SECONDS on the clock of a quiet machine; on a busy one as many more as two threads get less of its processor.
"""

import json
import resource
import sys
import threading
import time
import warnings
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

warnings.filterwarnings("ignore")
INNER, JUDGED_INNER, MOST_ROUNDS, PATIENCE, SEED = 5, 2, 3000, 50, 0
GIVEN_UP = 1.01
"""A draw is given up when its loss on the first inner fold is that much above the best draw's."""

MORE_ROWS = INNER / (INNER - 1)


def main():
    method, table, handed, answer, seconds, *left_out = sys.argv[1:]
    rows = np.load(handed)
    frame = features(pd.read_csv(table).drop(columns=left_out))
    if len(frame) != len(rows["churned"]):
        raise SystemExit(f"{table} has {len(frame)} rows, and {len(rows['churned'])} have an outcome")
    learned, judged = frame.iloc[rows["learned"]].reset_index(drop=True), frame.iloc[rows["judged"]].reset_index(drop=True)
    churned = rows["churned"][rows["learned"]].astype(int)
    started, used = time.perf_counter(), processor_seconds()
    probabilities, fit = METHODS[method](learned, churned, judged, float(seconds))
    document = {
        "probabilities": np.asarray(probabilities, dtype=float).tolist(),
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(processor_seconds() - used, 1),
        "fit": fit,
    }
    Path(answer).write_text(json.dumps(document))


def processor_seconds():
    """Of this process and of those that it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def features(frame):
    """Numbers, dates as days, and categories."""
    columns = {}
    for name, column in frame.items():
        if column.dtype == object:
            present = column.dropna().astype(str)
            numbers = pd.to_numeric(column, errors="coerce")
            if numbers.notna().sum() >= 0.95 * len(present):
                column = numbers
            elif present.str.fullmatch(r"\d{4}-\d{2}-\d{2}").all():
                column = (pd.to_datetime(column) - pd.Timestamp("1970-01-01")).dt.days.astype(float)
            else:
                column = column.astype("category")
        columns[name] = column
    return pd.DataFrame(columns)


def tuned(library, learned, churned, judged, seconds):
    """The best of the drawn settings, fitted to all rows."""
    rng, folds = np.random.default_rng(SEED), list(StratifiedKFold(INNER, shuffle=True, random_state=SEED).split(learned, churned))
    started, best, draws = time.process_time(), None, 0
    while best is None or time.process_time() - started < 0.85 * seconds:
        settings = library.draw(rng) if draws else library.first
        draws += 1
        losses, rounds = [], []
        for inner, outer in folds[:JUDGED_INNER]:
            rounds_of_fold, predicted = library.fit(settings, learned.iloc[inner], churned[inner], learned.iloc[outer], churned[outer])
            losses.append(log_loss(churned[outer], predicted))
            rounds.append(rounds_of_fold)
            if best is not None and losses[0] > GIVEN_UP * best[1][0]:
                break
        if len(losses) == JUDGED_INNER and (best is None or np.mean(losses) < np.mean(best[1])):
            best = settings, losses, rounds
    settings, losses, rounds = best
    most = max(1, round(float(np.mean(rounds)) * MORE_ROWS))
    probabilities = library.final(settings, learned, churned, most, judged)
    shown = ", ".join(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in settings.items())
    return probabilities, f"{draws} draws; {most} rounds; {shown or 'as it comes'}"


def logarithmic(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


class XGBoost:
    first = MappingProxyType({"max_depth": 4, "eta": 0.05, "min_child_weight": 4.0, "subsample": 0.8, "colsample_bytree": 0.8})
    always = MappingProxyType({"objective": "binary:logistic", "eval_metric": "logloss", "tree_method": "hist", "nthread": 1, "seed": SEED})

    @staticmethod
    def draw(rng):
        return {
            "max_depth": int(rng.integers(2, 9)),
            "eta": logarithmic(rng, 0.015, 0.2),
            "min_child_weight": logarithmic(rng, 0.1, 30),
            "subsample": float(rng.uniform(0.5, 1)),
            "colsample_bytree": float(rng.uniform(0.3, 1)),
            "lambda": logarithmic(rng, 0.3, 20),
            "max_cat_to_onehot": int(rng.choice([1, 8, 64, 256])),
        }

    def fit(self, settings, learned, churned, watched, outcomes):
        import xgboost

        model = xgboost.train(
            {**self.always, **settings},
            xgboost.DMatrix(learned, churned, enable_categorical=True),
            MOST_ROUNDS,
            [(xgboost.DMatrix(watched, outcomes, enable_categorical=True), "watched")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        predicted = model.predict(xgboost.DMatrix(watched, enable_categorical=True), iteration_range=(0, model.best_iteration + 1))
        return model.best_iteration + 1, predicted

    def final(self, settings, learned, churned, rounds, judged):
        import xgboost

        model = xgboost.train({**self.always, **settings}, xgboost.DMatrix(learned, churned, enable_categorical=True), rounds)
        return model.predict(xgboost.DMatrix(judged, enable_categorical=True))


class LightGBM:
    first = MappingProxyType({"num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 20, "feature_fraction": 0.8})
    always = MappingProxyType(
        {"objective": "binary", "metric": "binary_logloss", "num_threads": 1, "seed": SEED, "verbose": -1, "bagging_freq": 1}
    )

    @staticmethod
    def draw(rng):
        return {
            "num_leaves": round(logarithmic(rng, 4, 96)),
            "learning_rate": logarithmic(rng, 0.015, 0.2),
            "min_data_in_leaf": round(logarithmic(rng, 3, 150)),
            "feature_fraction": float(rng.uniform(0.3, 1)),
            "bagging_fraction": float(rng.uniform(0.5, 1)),
            "lambda_l2": logarithmic(rng, 0.01, 20),
            "cat_smooth": logarithmic(rng, 1, 100),
            "cat_l2": logarithmic(rng, 1, 50),
        }

    def fit(self, settings, learned, churned, watched, outcomes):
        import lightgbm

        data = lightgbm.Dataset(learned, churned)
        model = lightgbm.train(
            {**self.always, **settings},
            data,
            MOST_ROUNDS,
            [lightgbm.Dataset(watched, outcomes, reference=data)],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )
        return model.best_iteration, model.predict(watched)

    def final(self, settings, learned, churned, rounds, judged):
        import lightgbm

        return lightgbm.train({**self.always, **settings}, lightgbm.Dataset(learned, churned), rounds).predict(judged)


class CatBoost:
    first = MappingProxyType({})
    always = MappingProxyType({"random_seed": SEED, "verbose": False, "allow_writing_files": False, "thread_count": 1})

    @staticmethod
    def draw(rng):
        return {
            "depth": int(rng.integers(3, 9)),
            "learning_rate": logarithmic(rng, 0.03, 0.2),
            "l2_leaf_reg": logarithmic(rng, 1, 20),
            "random_strength": logarithmic(rng, 0.3, 5),
            "one_hot_max_size": int(rng.choice([2, 6, 12])),
            "subsample": float(rng.uniform(0.6, 1)),
            "bootstrap_type": "Bernoulli",
        }

    def fit(self, settings, learned, churned, watched, outcomes):
        from catboost import CatBoostClassifier

        categories = list(learned.select_dtypes("category"))
        model = CatBoostClassifier(**self.always, **settings, cat_features=categories, early_stopping_rounds=PATIENCE)
        model.fit(texts(learned), churned, eval_set=(texts(watched), outcomes))
        return model.best_iteration_ + 1, model.predict_proba(texts(watched))[:, 1]

    def final(self, settings, learned, churned, rounds, judged):
        from catboost import CatBoostClassifier

        categories = list(learned.select_dtypes("category"))
        model = CatBoostClassifier(**self.always, **settings, cat_features=categories, iterations=rounds)
        return model.fit(texts(learned), churned).predict_proba(texts(judged))[:, 1]


def texts(frame):
    """Categories as CatBoost takes them: a missing one is a level of its own."""
    return frame.assign(**{name: frame[name].astype(object).where(frame[name].notna(), "") for name in frame.select_dtypes("category")})


def autogluon(learned, churned, judged, seconds):
    from autogluon.tabular import TabularPredictor

    share = processor_share()
    limit = min(1 / share, MOST_TIMES) * seconds
    predictor = TabularPredictor("churned", problem_type="binary", eval_metric="log_loss", path="models", verbosity=0)
    predictor.fit(learned.assign(churned=churned), time_limit=limit, presets=PRESETS, num_cpus=THREADS, num_gpus=0, dynamic_stacking=False)
    model = f"{PRESETS}, {len(predictor.model_names())} models, {predictor.model_best}"
    return predictor.predict_proba(judged)[
        1
    ], f"{model}; {limit:.0f} s on the clock, where {THREADS} threads had {share:.0%} of the processor"


PRESETS, THREADS, MOST_TIMES = "best_quality", 2, 10


def processor_share(seconds=2.0):
    """Processor time that two busy threads get, over that of a quiet machine."""
    matrix = np.random.default_rng(SEED).random((256, 256))
    ends, started, used = time.perf_counter() + seconds, time.perf_counter(), time.process_time()

    def busy():
        while time.perf_counter() < ends:
            np.sort(matrix, axis=None)

    threads = [threading.Thread(target=busy) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return min(1.0, (time.process_time() - used) / (time.perf_counter() - started) / THREADS)


METHODS = {
    "xgboost": lambda *given: tuned(XGBoost(), *given),
    "lightgbm": lambda *given: tuned(LightGBM(), *given),
    "catboost": lambda *given: tuned(CatBoost(), *given),
    "autogluon": autogluon,
}

if __name__ == "__main__":
    main()
