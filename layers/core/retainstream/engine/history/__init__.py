"""The history: the rows that were scored or imported, as Parquet files, and what is made of them. Needs DuckDB, and no network."""
