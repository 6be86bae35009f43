"""Generates telco_customers.csv: synthetic customers of a telephone operator, with the columns of schemas/telco.yaml.

    .venv/bin/python examples/telco.py > examples/telco_customers.csv
    .venv/bin/python examples/telco.py --month 2 > examples/telco_next_month.csv

No row is about a real person, and the same seed gives the same file. In the second month the customers who left are gone, and there are new
customers without a known outcome.
"""

import argparse
import csv
import math
import random
import sys
from typing import TextIO

CUSTOMERS = 900
NEW_A_MONTH = 60
PHONE, INTERNET = "No phone service", "No internet service"
HEADER = [
    "customerID",
    "gender",
    "SeniorCitizen",
    "Partner",
    "Dependents",
    "tenure",
    "PhoneService",
    "MultipleLines",
    "InternetService",
    "OnlineSecurity",
    "OnlineBackup",
    "DeviceProtection",
    "TechSupport",
    "StreamingTV",
    "StreamingMovies",
    "Contract",
    "PaperlessBilling",
    "PaymentMethod",
    "MonthlyCharges",
    "TotalCharges",
    "Churn",
]
PAYMENTS = ("Electronic check", "Mailed check", "Bank transfer (automatic)", "Credit card (automatic)")


def customer(number: int, seed: int) -> dict[str, str]:
    """A customer's row at the end of the first month."""
    chance = random.Random(f"{seed}-{number}")  # noqa: S311
    contract = chance.choices(("Month-to-month", "One year", "Two year"), (55, 21, 24))[0]
    most = {"Month-to-month": 48, "One year": 66, "Two year": 72}[contract]
    tenure = max(1, round(most * chance.betavariate(0.9, 1.4 if contract == "Month-to-month" else 0.8)))
    internet = chance.choices(("DSL", "Fiber optic", "No"), (34, 44, 22))[0]
    phone = internet == "No" or chance.random() < 0.88

    def extra(likely: float) -> str:
        return INTERNET if internet == "No" else "Yes" if chance.random() < likely else "No"

    row = {
        "customerID": f"T-{number:05d}",
        "gender": chance.choice(("Female", "Male")),
        "SeniorCitizen": str(int(chance.random() < 0.16)),
        "Partner": _yes_no(chance.random() < 0.48),
        "Dependents": _yes_no(chance.random() < 0.3),
        "tenure": str(tenure),
        "PhoneService": _yes_no(phone),
        "MultipleLines": _yes_no(chance.random() < 0.45) if phone else PHONE,
        "InternetService": internet,
        "OnlineSecurity": extra(0.36),
        "OnlineBackup": extra(0.44),
        "DeviceProtection": extra(0.44),
        "TechSupport": extra(0.37),
        "StreamingTV": extra(0.49),
        "StreamingMovies": extra(0.49),
        "Contract": contract,
        "PaperlessBilling": _yes_no(chance.random() < 0.59),
        "PaymentMethod": chance.choices(PAYMENTS, (40, 20, 20, 20) if contract == "Month-to-month" else (18, 22, 30, 30))[0],
    }
    charges = {"No": 0.0, "DSL": 25.0, "Fiber optic": 50.0}[internet] + (20.0 if phone else 0.0) + chance.uniform(-2, 4)
    charges += 5 * [*row.values()].count("Yes")
    row["MonthlyCharges"] = f"{charges:.2f}"
    row["TotalCharges"] = f"{charges * tenure:.2f}"
    row["Churn"] = _yes_no(chance.random() < churn_probability(row))
    return row


def churn_probability(row: dict[str, str]) -> float:
    """The true churn probability within the month, which a model has to learn."""
    logit = -0.9 - 0.035 * int(row["tenure"]) + 0.012 * (float(row["MonthlyCharges"]) - 60)
    logit += {"Month-to-month": 1.0, "One year": -0.4, "Two year": -1.4}[row["Contract"]]
    logit += 0.7 * (row["InternetService"] == "Fiber optic") - 0.5 * (row["TechSupport"] == "Yes") - 0.4 * (row["OnlineSecurity"] == "Yes")
    logit += 0.5 * (row["PaymentMethod"] == "Electronic check") + 0.3 * (row["SeniorCitizen"] == "1")
    return 1 / (1 + math.exp(-logit))


def a_month_later(row: dict[str, str]) -> dict[str, str]:
    """The customer's row a month later: with a longer contract for some, and with a new outcome."""
    chance = random.Random(f"later-{row['customerID']}")  # noqa: S311
    later = {**row, "tenure": str(int(row["tenure"]) + 1), "Churn": ""}
    if later["Contract"] == "Month-to-month" and chance.random() < 0.06:
        later["Contract"] = "One year"
    later["TotalCharges"] = f"{float(row['TotalCharges']) + float(row['MonthlyCharges']):.2f}"
    later["Churn"] = _yes_no(chance.random() < churn_probability(later))
    return later


def write(month: int, seed: int, stream: TextIO) -> None:
    """The file of a month, 1 or 2."""
    rows = [customer(number, seed) for number in range(1, CUSTOMERS + 1)]
    if month == 2:
        new = [
            {**customer(CUSTOMERS + number, seed), "tenure": "0", "TotalCharges": "", "Churn": ""} for number in range(1, NEW_A_MONTH + 1)
        ]
        rows = [a_month_later(row) for row in rows if row["Churn"] == "No"] + new
    writer = csv.DictWriter(stream, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _yes_no(yes: bool) -> str:
    return "Yes" if yes else "No"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--month", type=int, choices=(1, 2), default=1)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    write(options.month, options.seed, sys.stdout)
