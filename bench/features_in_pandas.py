"""The columns of `bench.made_events` in pandas, as a person writes them: masks and groupby, for one anchor after the other."""

from pathlib import Path
from typing import Any

import pandas as pd

from bench.made_events import AGGREGATES, FACTS


def table(folder: Path, anchors: tuple[str, ...]) -> pd.DataFrame:
    """A row for each customer under subscription at each anchor, sorted by anchor and customer."""
    events = pd.read_csv(folder / "events.csv", dtype={"customer_id": "category", "event": "category"}).drop_duplicates()
    events["at"] = pd.to_datetime(events["occurred_at"], format="%Y-%m-%dT%H:%M:%SZ")
    events["day"] = events["at"].dt.floor("D")
    subscriptions = pd.read_csv(folder / "subscriptions.csv", parse_dates=["started_on", "ended_on"])
    tables = [_at(events, subscriptions, pd.Timestamp(anchor)) for anchor in anchors]
    return pd.concat(tables, ignore_index=True)


def _at(events: pd.DataFrame, subscriptions: pd.DataFrame, anchor: pd.Timestamp) -> pd.DataFrame:
    ended = subscriptions["ended_on"]
    here = subscriptions[(subscriptions["started_on"] < anchor) & (ended.isna() | (ended > anchor))].set_index("customer_id").sort_index()
    before = events[events["day"] < anchor]
    age = (anchor - here["started_on"]).dt.days
    columns = {"price": here["price"], "age": age, "tenure": age}
    for name, origin in AGGREGATES.items():
        columns[name] = _aggregate(before, dict(origin), anchor).reindex(here.index)
    frame = pd.DataFrame({name: columns[name] for name in (*FACTS, *AGGREGATES)}, index=here.index)
    zero = [name for name, origin in AGGREGATES.items() if {"count", "sum", "distinct"} & origin.keys()]
    frame[zero] = frame[zero].fillna(0)
    frame.insert(0, "anchor", f"{anchor:%Y-%m-%d}")
    return frame.reset_index()


def _aggregate(before: pd.DataFrame, origin: dict[str, str | int | bool], anchor: pd.Timestamp) -> "pd.Series[Any]":
    own = before if origin["events"] == "*" else before[before["event"] == origin["events"]]
    window = own[own["day"] >= anchor - pd.Timedelta(days=int(origin["days"]))] if "days" in origin else own
    customers = window.groupby("customer_id", observed=True)
    if "count" in origin:
        return customers.size()
    for method in ("sum", "mean", "max"):
        if method in origin:
            return customers["amount"].agg(method)
    if "distinct" in origin:
        return customers["day" if origin["distinct"] == "day" else "event"].nunique()
    if "days_since_last" in origin or "days_since_first" in origin:
        days: pd.Series[Any] = (anchor - customers["day"].agg("max" if "days_since_last" in origin else "min")).dt.days
        return days
    if "mean_gap" in origin:
        span = customers["day"].agg(["min", "max", "size"])
        gaps: pd.Series[Any] = ((span["max"] - span["min"]).dt.days / (span["size"] - 1)).where(span["size"] > 1)
        return gaps
    length = pd.Timedelta(days=int(origin["days"]))
    if "share" in origin:
        longer = own[own["day"] >= anchor - pd.Timedelta(days=int(origin["of"]))].groupby("customer_id", observed=True).size()
        return customers.size().reindex(longer.index, fill_value=0) / longer
    earlier = own[(own["day"] < anchor - length) & (own["day"] >= anchor - 2 * length)].groupby("customer_id", observed=True).size()
    return customers.size().reindex(earlier.index, fill_value=0) / earlier - 1
