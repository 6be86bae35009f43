"""A first feature schema for a new table, and the traps in the table.

`profiles` describes each column, `findings/` looks for traps, `drafting` combines both, `yaml_document` writes the draft.
"""
