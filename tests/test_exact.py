"""Nothing is lost: numbers, strings and names come out as they came in."""

import pytest

from nestdecode.jsontext import is_cut_short, malformed_at


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        *(
            ("[1e400,", True),
            (f"[{'1' * 400},", True),
            (f"[{'1' * 400}.", True),
            ('["\\ud800",', True),
        ),
        *(("[1e400]", False), (f"[-{'1' * 400}]", False), ('["\\ud800"]', False), ("1e400", False)),
        *(
            ("[1e400,}", False),
            (f"[{'1' * 400}x", False),
            (f"[0.{'1' * 400},", True),
            ("[1e", True),
        ),
    ],
)
def test_what_no_double_holds_is_a_beginning_like_any_other(line, cut):
    assert is_cut_short(line.encode()) is cut
    assert (malformed_at(line.encode()) is None) is (cut or line[-1] not in "}x")
