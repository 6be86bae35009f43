"""Exact TreeSHAP contributions of blocks of rows, looked up in tables instead of walked tree by tree.

What a tree contributes depends only on which way a row goes at each of its splits. So the splits are numbered (`forest`), the leaves are
put into groups of few splits (`grouping`), each group's contributions are written down for every way its splits can go (`patterns`,
`cell_tables`), and a block of rows is a few array look-ups per group (`block`).
"""
