"""
Streams: input decompressed, cut into records, shared out to worker processes.

What reads compressed input and what runs workers is imported by those who need it.
"""

from nestdecode.stream.framing import (
    CUT,
    Batch,
    Framing,
    Record,
    expand_records,
    framing_of,
    is_blank,
    lines_of_range,
    of_lines,
    read_batches,
)
from nestdecode.stream.letters import DeadLetter, original

__all__ = [
    "CUT",
    "Batch",
    "DeadLetter",
    "Framing",
    "Record",
    "expand_records",
    "framing_of",
    "is_blank",
    "lines_of_range",
    "of_lines",
    "original",
    "read_batches",
]
