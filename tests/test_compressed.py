"""Compressed input: recognized by content, read in pieces of any size, damage reported."""

import bz2
import gzip
import importlib.util
import io
import lzma
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from nestdecode.stream.compressed import decompressed
from tests import command

NESTDECODE = [sys.executable, "-m", "nestdecode"]
LINES = [b'{"n":"[%d]","r":"%x"}\n' % (n, random.Random(n).getrandbits(90)) for n in range(6000)]
TEXT = b"".join(LINES)
OPENED = [line.replace(b'"[', b"[").replace(b']"', b"]") for line in LINES]


def zstd_compress(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        zstd = pytest.importorskip("backports.zstd")
    options = {zstd.CompressionParameter.checksum_flag: 1}
    packed: bytes = zstd.compress(data, options=options)
    return packed


PACK: dict[str, Any] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd_compress,
}
formats = pytest.mark.parametrize("name", PACK)


def run(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> tuple[bytes, str, int]:
    child = command.run(*arguments, stdin=stdin, env=os.environ | environment)
    return child.stdout, child.stderr.decode(), child.returncode


def expanded_whole(stdin: bytes, **environment: str) -> tuple[bytes, str, int]:
    """Expand in a process that starts Python too, with variables that are for Python."""
    child = subprocess.run(
        [*NESTDECODE, "expand"], input=stdin, capture_output=True, env=os.environ | environment
    )
    return child.stdout, child.stderr.decode(), child.returncode


def unpack(data: bytes, at_once: int = 1 << 20) -> tuple[bytes, Any, str | None]:
    """Read all there is: (data, format, error)."""
    file = io.BytesIO(data)
    found = b""
    name = None
    try:
        read, name = decompressed(lambda size: file.read(min(size, at_once)))
        while piece := read(1 << 18):
            assert len(piece) <= 1 << 18
            found += piece
    except OSError as error:
        return found, name, str(error)
    return found, name, None


@pytest.mark.sampled(2)
@formats
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_is_known_by_its_content(tmp_path, name, jobs):
    packed = tmp_path / "no-suffix"
    packed.write_bytes(PACK[name](TEXT))

    assert run("expand", "-j", jobs, packed) == (b"".join(OPENED), "", 0)


@pytest.mark.sampled(2)
@formats
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_standard_input_is_known_by_its_content(name, unbuffered):
    got = expanded_whole(PACK[name](TEXT), PYTHONUNBUFFERED=unbuffered)

    assert got == (b"".join(OPENED), "", 0)


def test_formats_of_several_files_may_differ(tmp_path):
    paths = []
    for number, (name, pack) in enumerate(PACK.items()):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(pack(b"[%d]\n" % number))

    assert run("expand", *paths) == (b"[0]\n[1]\n[2]\n[3]\n", "", 0)


@formats
def test_several_members_are_one_input(name):
    pack = PACK[name]
    packed = pack(TEXT[:1000]) + pack(b"") + pack(TEXT[1000:])

    assert unpack(packed) == (TEXT, name, None)


@formats
def test_empty_input_may_be_compressed(name):
    assert unpack(PACK[name](b"")) == (b"", name, None)


@formats
@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_pieces_may_be_of_any_size(name, at_once):
    text = TEXT[:20_000]

    assert unpack(PACK[name](text), at_once) == (text, name, None)


@pytest.mark.parametrize("name", ["gzip", "xz"])
def test_zeros_after_a_member_are_no_damage(name):
    assert unpack(PACK[name](b"[1]") + b"\0" * 512) == (b"[1]", name, None)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\x1f", b"BZ", b"BZh9 is no JSON", b"\x1f\x8b\x07", b"\xfd7z", b"[1]\n"],
)
def test_what_only_begins_alike_is_left_as_it_is(data):
    assert unpack(data, 1) == (data, None, None)


@pytest.mark.sampled(2)
@formats
def test_input_cut_short_is_told_after_what_was_whole(name):
    packed = PACK[name](TEXT)
    out, err, code = run("expand", stdin=packed[: len(packed) * 3 // 4])

    assert (err, code) == (f"nestdecode: stdin: can't be read: {name} data is cut short\n", 2)
    assert b"".join(OPENED).startswith(out)
    assert out.endswith(b"\n") or not out
    # bzip2 unpacks a block of 900 kB at a time or not at all.
    assert out or name == "bzip2"


@pytest.mark.sampled(2)
@formats
def test_damage_is_told_after_what_was_whole(name):
    pack = PACK[name]
    second = bytearray(pack(TEXT))
    middle = len(second) // 2
    second[middle : middle + 64] = bytes(byte ^ 0x55 for byte in second[middle : middle + 64])
    out, err, code = run("expand", stdin=pack(TEXT) + second)

    assert code == 2
    assert f"nestdecode: stdin: can't be read: {name} data is damaged\n" in err
    assert out.startswith(b"".join(OPENED))


def test_a_wrong_checksum_loses_no_line():
    packed = bytearray(gzip.compress(TEXT))
    packed[-5] ^= 1

    assert unpack(bytes(packed)) == (TEXT, "gzip", "gzip data is damaged")


@formats
def test_what_follows_the_last_member_is_damage(name):
    assert unpack(PACK[name](TEXT) + b"and more than a header") == (
        TEXT,
        name,
        f"{name} data is damaged",
    )


@formats
def test_a_compressed_line_comes_out_before_the_next_goes_in(name):
    if name != "gzip":
        pytest.skip("only zlib can be asked to let go of a line")
    pack = zlib.compressobj(wbits=31)
    command = [*NESTDECODE, "expand"]
    pipe = subprocess.PIPE
    child: Any = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0)
    with child:
        got = []
        for line in LINES[:3]:
            child.stdin.write(pack.compress(line) + pack.flush(zlib.Z_SYNC_FLUSH))
            got.append(child.stdout.readline())
        child.stdin.write(pack.flush())
        child.stdin.close()

    assert (got, child.returncode) == (OPENED[:3], 0)


@pytest.mark.parametrize("at_once", [1, 5, 1000])
@pytest.mark.parametrize("byte", [0x50, 0x5F])
def test_zstd_may_begin_with_frames_that_are_passed_over(byte, at_once):
    frame = b"%c\x2a\x4d\x18\x04\x00\x00\x00abcd" % byte
    text = TEXT[:1000]

    assert unpack(frame + zstd_compress(text), at_once) == (text, "zstd", None)
    assert unpack(frame * 3 + zstd_compress(text) + frame, at_once) == (text, "zstd", None)
    assert unpack(frame, at_once) == (b"", "zstd", None)


def test_data_that_takes_too_much_memory_is_not_called_damaged():
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 300 << 20}]
    packed = lzma.compress(b"[1]\n", format=lzma.FORMAT_XZ, filters=filters)
    reason = "xz data takes too much memory to be read: more than 256 MiB"

    assert unpack(packed) == (b"", "xz", reason)
    assert unpack(lzma.compress(b"[1]\n", preset=9)) == (b"[1]\n", "xz", None)
    # A frame header: no size, no dictionary, a window of 512 MiB.
    reason = "zstd data takes too much memory to be read: a window of more than 128 MiB"
    assert unpack(b"\x28\xb5\x2f\xfd\x00\x98" + b"\0" * 16) == (b"", "zstd", reason)


def test_without_zstd_the_extra_is_named(tmp_path):
    # A package that can't be imported stands in for one that is not there.
    for name in ("compression", "backports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    data = b"\x28\xb5\x2f\xfd and more"
    got = expanded_whole(data, PYTHONPATH=str(tmp_path))
    reason = "can't be read: zstd needs an extra: pip install 'nestdecode[zstd]'"

    assert got == (b"", f"nestdecode: stdin: {reason}\n", 2)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_blows_up_is_read_in_bounded_memory(tmp_path):
    packed = tmp_path / "zeros.gz"
    with gzip.open(packed, "wb", compresslevel=1) as file:
        for _ in range(200):
            file.write(b" " * (1 << 20) + b"\n")
    code = (
        "import re; from pathlib import Path; from nestdecode.cli import main\n"
        f"try: main(['expand', {str(packed)!r}])\n"
        # Not ru_maxrss: that remembers the process that this one was forked from.
        "except SystemExit: print(re.search(r'VmHWM:\\s+([0-9]+)',"
        " Path('/proc/self/status').read_text())[1])"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert int(child.stdout) < 120_000


@pytest.mark.sampled(2)
@pytest.mark.parametrize("module", ["gzip", "bz2", "lzma", "backports.zstd", "mmap"])
def test_plain_input_imports_no_decompressor(module):
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        pytest.skip("not installed")
    code = (
        "import sys; from nestdecode.cli import main\n"
        "try: main(['expand'])\n"
        f"except SystemExit: print({module!r} in sys.modules)"
    )
    child = subprocess.run([sys.executable, "-c", code], input=b"1", capture_output=True)

    assert child.stdout.split() == [b"1", b"False"]
