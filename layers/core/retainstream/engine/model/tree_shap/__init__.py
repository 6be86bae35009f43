"""Exact TreeSHAP contributions of blocks of rows, by tables instead of by walking each tree.

A tree's contributions depend only on the direction of a row at each split. So the splits are numbered (`forest`), leaves with few splits
are grouped (`grouping`), each group's contributions are computed for every combination of directions (`patterns`, `cell_tables`), and a
block of rows takes a few array look-ups per group (`block`).
"""
