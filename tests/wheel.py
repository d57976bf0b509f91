"""
Try the wheel as users get it: by pip, pipx and uvx, and by a type checker.

``python tests/wheel.py dist`` runs the commands away from the source tree, and prints the
installed size and the start-up beside their limits. It exits with 1 if a figure is above its limit.
"""

import os
import resource
import subprocess
import sys
import tempfile
import tomllib
import venv
from contextlib import chdir
from importlib import metadata
from operator import gt
from pathlib import Path
from shutil import which

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "specs" / "samples" / "repair-results.json"
HATCH = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
# What `expand FILE` imports: what the interpreter imports by itself is left out.
STARTED = """\
import sys
before = set(sys.modules)
from nestdecode.cli import main
sys.argv = ["nestdecode", "expand", sys.argv[1]]
try:
    main()
finally:
    print(len(set(sys.modules) - before), file=sys.stderr)
"""
ROUNDS = 20
CHECKER = "basedpyright==1.40.2"

# Each with its limit. Lower one when its figure falls; a commit that raises one says what for.
LIMITS = {
    # The flags, rows, spec commands, the manual page and the adapters took 300 KB; hints at what
    # was meant, the tally of a census and the reading of broken text 50 KB.
    "KB installed, nestdecode": 1_350,
    "KB installed, with what it requires": 25_000,
    # Answering was one large module, and is seven small ones.
    "modules imported by `expand FILE`": 151,
    # Not beside a bare interpreter: what imports cost beside that depends on the machine.
    "times the CPU of `import orjson, click` for `expand FILE`": 2.3,
}


def run(*words: str | Path, **variables: str | Path) -> str:
    """Run a command with more variables; return what it prints on stdout."""
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, env=environment)
    return done.stdout.decode()


def use(*command: str | Path, **variables: str | Path) -> None:
    """Do the main job by an installed command, with a spec and without one."""

    def ask(*words: str | Path) -> str:
        return run(*command, *words, **variables)

    assert "Usage: nestdecode" in ask("--help")
    assert ask("--version").startswith("nestdecode ")
    each = ("query", "-r", "--each")
    assert len(ask(*each, "structData.data[]", SAMPLE).splitlines()) == 4
    assert len(ask(*each, ":urls", "--spec", "repair-results", SAMPLE).splitlines()) == 4
    assert ask("expand", SAMPLE) == ask("expand", "--spec", "repair-results", SAMPLE)
    assert "aws/sqs-sns" in ask("spec", "list")


def by_pip(wheel: Path, wheels: Path, away: Path) -> Path:
    """Install the wheel in a bare environment and use it; return where its programs are."""
    venv.create(away / "bare", with_pip=True)
    programs = away / "bare" / ("Scripts" if os.name == "nt" else "bin")
    pip = (programs / "python", "-m", "pip")
    run(*pip, "install", "--quiet", "--no-index", "--find-links", wheels, wheel)
    run(*pip, "check")
    use(programs / "nestdecode")
    for file in HATCH["wheel"].get("shared-data", {}).values():
        assert (programs.parent / file).stat().st_size, file
    return programs


def by_pipx(wheel: Path, wheels: Path, away: Path) -> None:
    """Install the wheel by pipx and use it."""
    folders = {"PIPX_HOME": away / "pipx", "PIPX_BIN_DIR": away / "pipx-bin"}
    arguments = f"--no-index --find-links={wheels}"
    run("pipx", "install", "--quiet", "--pip-args", arguments, wheel, **folders)
    use(away / "pipx-bin" / "nestdecode")


def by_uvx(wheel: Path, wheels: Path, away: Path) -> None:
    """Run the wheel by uvx, without installing it."""
    offline = ("--quiet", "--no-index", "--find-links", wheels)
    use("uv", "tool", "run", *offline, "--from", wheel, "nestdecode", UV_CACHE_DIR=away / "uv")


def check_types(wheel: Path) -> None:
    """Check that a strict type checker knows the type of every name."""
    # By uvx: what it brings with it takes 280 MB.
    # With the packages whose classes adapters inherit from.
    packages = ("--with", wheel, "--with", "python-json-logger", "--with", "opentelemetry-sdk")
    checker = ("uv", "tool", "run", "--quiet", "--from", CHECKER, *packages, "basedpyright")
    run(*checker, "--verifytypes", "nestdecode", "--ignoreexternal")


def size_of(package: metadata.Distribution) -> int:
    """Return the bytes that a package installed, without what Python compiles from them."""
    paths = [Path(str(package.locate_file(file))) for file in package.files or ()]
    return sum(p.stat().st_size for p in paths if p.is_file() and p.parent.name != "__pycache__")


def kilobytes(site: Path) -> tuple[int, int]:
    """Return the size of the package, and that of all that was installed with it."""
    sizes = {p.name: size_of(p) for p in metadata.distributions(path=[str(site)])}
    with_others = sum(size for name, size in sizes.items() if name not in ("pip", "setuptools"))
    return sizes["nestdecode"] // 1000, with_others // 1000


def cpu(*words: str | Path) -> float:
    """Return the CPU time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def figures(programs: Path) -> list[float]:
    """Measure what has a limit, in the order of the limits."""
    python = programs / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    started = subprocess.run(
        [python, "-c", STARTED, SAMPLE],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )
    # By turns, so that what slows the machine down slows both.
    pairs = [
        (cpu(programs / "nestdecode", "expand", SAMPLE), cpu(python, "-c", "import orjson, click"))
        for _ in range(ROUNDS)
    ]
    ours, imports = (min(times) for times in zip(*pairs, strict=True))
    return [*kilobytes(site), int(started.stderr), round(ours / imports, 2)]


def main(dist: Path) -> int:
    (wheel,) = dist.resolve().glob("*.whl")
    (_source,) = dist.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as name, chdir(name):
        away = Path(name)
        wheels = away / "wheels"
        # Once: however each client is configured, all of them install the same files.
        download = ("download", "--quiet", "--disable-pip-version-check")
        run(sys.executable, "-m", "pip", *download, "--dest", wheels, wheel)
        programs = by_pip(wheel, wheels, away)
        for client, program in ((by_pipx, "pipx"), (by_uvx, "uv")):
            if which(program):
                client(wheel, wheels, away)
            say(f"{program}: {'works' if which(program) else 'not found, skipped'}")
        if which("uv"):
            check_types(wheel)
        found = figures(programs)
    for (what, limit), figure in zip(LIMITS.items(), found, strict=True):
        say(f"{figure:,} {what} (at most {limit:,}){' ABOVE THE LIMIT' if figure > limit else ''}")
    return int(any(map(gt, found, LIMITS.values())))


def say(line: str) -> None:
    sys.stdout.write(f"# {line}\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
