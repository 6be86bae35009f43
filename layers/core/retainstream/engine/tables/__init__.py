"""Tables of customers: delimited files of any dialect, read by the feature schema.

`opening` turns a file into lines, `delimited` lines into records, `cells` a text into a value; `binding` finds the schema's columns in a
header. Two readers use them: `customer_rows` streams one customer at a time in bounded memory, and `columnar` (which needs numpy) reads a
complete file fast.
"""

from retainstream.engine.tables.customer_rows import CustomerRow, Table, read_customers
from retainstream.engine.tables.delimited import DelimitedTable
from retainstream.engine.tables.opening import open_table
from retainstream.engine.tables.problems import TableProblem, UnreadableTable

__all__ = ["CustomerRow", "DelimitedTable", "Table", "TableProblem", "UnreadableTable", "open_table", "read_customers"]
