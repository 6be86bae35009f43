"""Features, labels and lives at anchors, from raw sources: files of events, subscriptions and profiles.

`delivered.read_sources` reads the files into typed tables of a DuckDB connection, and counts everything that was set aside. `build.build`
makes the table of features and labels from them, and `lives.lives` the lives of the customers. The schema document says what is computed
(`engine.schema.sources`).
"""
