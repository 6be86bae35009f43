"""featuretools on dated files: `featuretools_job.py FOLDER ANCHOR,… RESULT` computes the columns below at each anchor for all customers,
writes them as NumPy arrays sorted by anchor and customer, and prints the seconds from reading the files to the last value."""

import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
import featuretools as ft  # noqa: E402

COLUMNS = {
    7: {"logins_7d": "COUNT(login)"},
    30: {"logins_30d": "COUNT(login)", "views_30d": "COUNT(view)", "viewed_30d": "SUM(view.amount)"},
    90: {"logins_90d": "COUNT(login)", "view_mean_90d": "MEAN(view.amount)"},
    180: {"views_180d": "COUNT(view)"},
    365: {"logins_365d": "COUNT(login)", "paid_365d": "SUM(payment.amount)", "paid_max_365d": "MAX(payment.amount)"},
}
folder, anchors, result = sys.argv[1], sys.argv[2].split(","), sys.argv[3]
started = time.perf_counter()
events = pd.read_csv(f"{folder}/events.csv").drop_duplicates()
events["occurred_at"] = pd.to_datetime(events["occurred_at"], format="%Y-%m-%dT%H:%M:%SZ")
customers = pd.read_csv(f"{folder}/subscriptions.csv", usecols=["customer_id"]).sort_values("customer_id")
entities = ft.EntitySet("made")
entities = entities.add_dataframe(dataframe_name="customers", dataframe=customers, index="customer_id")
for kind, own in events.groupby("event"):
    own = own.drop(columns="event").reset_index(drop=True).reset_index(names="event_id")
    entities = entities.add_dataframe(dataframe_name=kind, dataframe=own, index="event_id", time_index="occurred_at")
    entities = entities.add_relationship("customers", "customer_id", kind, "customer_id")
features = ft.dfs(
    entityset=entities,
    target_dataframe_name="customers",
    agg_primitives=["count", "sum", "mean", "max"],
    trans_primitives=[],
    features_only=True,
)
by_name = {feature.get_name(): feature for feature in features}
cutoffs = pd.DataFrame(
    {"customer_id": np.tile(customers["customer_id"], len(anchors)), "time": np.repeat(pd.to_datetime(anchors), len(customers))}
)
values = {}
for days, columns in COLUMNS.items():
    table = ft.calculate_feature_matrix(
        [by_name[name] for name in columns.values()],
        entities,
        cutoff_time=cutoffs,
        cutoff_time_in_index=True,
        training_window=ft.Timedelta(days, "d"),
        include_cutoff_time=False,
    )
    table = table.sort_index(level=["time", "customer_id"])
    values |= {name: table[theirs].to_numpy(float) for name, theirs in columns.items()}
seconds = time.perf_counter() - started
np.savez(result, **values)
print(seconds)
