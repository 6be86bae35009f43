"""A first feature schema for a table nobody has seen, and the traps that are in the table.

`profiles` says what each column holds, `findings/` looks for traps, `drafting` puts both together, `yaml_document` writes it for people.
"""
