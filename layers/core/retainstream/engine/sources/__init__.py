"""Features and labels at anchors, from raw sources: files of events, subscriptions and profiles.

`read_sources` reads the files into typed tables of a DuckDB connection, with a report of everything that was set aside. `build` makes the
table of features and labels from them, and `lives` the lives of the customers. The schema document says what is computed
(`retainstream.engine.schema.sources`).
"""
