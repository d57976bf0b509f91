"""
Streams: input is decompressed, cut into records, and answered, by one process or several.

Nothing here writes to a terminal. Data flows from top to bottom:

==============  ========================================================================
``sources``     ``Source``: one input, decompressed and in UTF-8
``compressed``  gzip, bzip2, xz and zstd, recognised by their first bytes
``encoded``     UTF-16 and UTF-32, recognised by their byte order mark
``lines``       ``LineCutter``: input cut where lines end
``splitter``    ``Splitter``: lines to records, by framing; batches of records
``following``   ``Follower``: documents over several lines, token by token
``held``        the lines that are not settled yet
``scanner``     ``Scanner``: where a JSON value ends, and where it is malformed
``records``     ``Record``, ``Batch``
``report``      ``Report``: counts and messages of some records
``progress``    ``Progress``: the record at hand, and the Report that is being made
``rendering``   from a value to its output
``malformed``   malformed records: kept, wrapped, and recognised in many lines at once
``refusing``    ``Refusing``: what becomes of records that fail
``answering``   ``Answering``: batches to output and Reports
``inputs``      whole inputs, by this process or by several
``filtering``   one line out for each line in, whatever the line
``letters``     ``DeadLetter``: a record set aside
``sharing``     input shared among worker processes, the output as with one
``workers``     ``Workers``: the processes
==============  ========================================================================

``compressed`` imports what reads a format, and ``inputs`` imports ``sharing`` and
``workers``, when they are needed.
"""

from nestdecode.stream.letters import DeadLetter, original
from nestdecode.stream.lines import CUT, LineCutter, Lines, lines_of_range
from nestdecode.stream.records import (
    Batch,
    Record,
    as_bytes,
    expand_records,
    is_blank,
    of_lines,
)
from nestdecode.stream.splitter import FRAMINGS, Framing, Splitter, framing_of, read_batches

__all__ = [
    "CUT",
    "FRAMINGS",
    "Batch",
    "DeadLetter",
    "Framing",
    "LineCutter",
    "Lines",
    "Record",
    "Splitter",
    "as_bytes",
    "expand_records",
    "framing_of",
    "is_blank",
    "lines_of_range",
    "of_lines",
    "original",
    "read_batches",
]
