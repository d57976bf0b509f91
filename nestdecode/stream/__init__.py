"""
Streams: input decompressed, cut into records, shared out to worker processes.

What reads compressed input and what runs workers is imported by those who need it.
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
