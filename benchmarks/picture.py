"""Line charts as SVG, side by side, with one legend."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 300, 220
LEFT, TOP, GAP, LEGEND = 52, 40, 70, 34
COLOURS = {
    "floor": "#8c8c8c",
    "hand-written orjson": "#111111",
    "nestdecode, spec": "#1f6fb4",
    "nestdecode, automatic": "#d1495b",
    "nestdecode, learnt": "#d1495b",
    "recursive orjson": "#c58b1b",
}
DASHED = {"floor": "2 3", "hand-written orjson": "6 3"}


@dataclass(frozen=True)
class Panel:
    """One chart: name -> points. *log* is about x; y always begins at 0."""

    title: str
    x: str
    y: str
    series: dict[str, list[tuple[float, float]]]
    log: bool = True


def draw(panels: list[Panel]) -> str:
    """Return the picture."""
    width = LEFT + len(panels) * (WIDTH + GAP)
    height = TOP + HEIGHT + LEGEND + 34
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = 'font-family="system-ui, sans-serif" font-size="11" fill="#333"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({LEFT + number * (WIDTH + GAP)} {TOP})">')
        parts += [*_panel(panel), "</g>"]
    parts += [*_legend(panels, TOP + HEIGHT + LEGEND), "</svg>"]
    return "\n".join(parts) + "\n"


def _panel(panel: Panel) -> Iterator[str]:
    xs = sorted({x for points in panel.series.values() for x, _ in points})
    scale = math.log10 if panel.log else float
    low, high = scale(xs[0]), scale(xs[-1])
    step, top = _steps(max(y for points in panel.series.values() for _, y in points))

    def across(x: float) -> float:
        return (scale(x) - low) / (high - low) * WIDTH

    def up(y: float) -> float:
        return HEIGHT - y / top * HEIGHT

    yield _text(0, -14, panel.title, 'font-weight="600" font-size="13"')
    for number in range(round(top / step) + 1):
        y = up(number * step)
        yield f'<path d="M0 {y:.1f}H{WIDTH}" stroke="#e4e4e4"/>'
        yield _text(-6, y + 4, f"{number * step:g}", 'text-anchor="end"')
    for x in range(math.ceil(low), math.floor(high) + 1) if panel.log else xs:
        label = f"10<tspan dy='-4' font-size='8'>{x}</tspan>" if panel.log else f"{x:g}"
        yield _text(across(10**x if panel.log else x), HEIGHT + 16, label, 'text-anchor="middle"')
    yield _text(WIDTH / 2, HEIGHT + 34, escape(panel.x), 'text-anchor="middle"')
    middle = f"rotate(-90 -38 {HEIGHT / 2})"
    yield _text(-38, HEIGHT / 2, escape(panel.y), f'text-anchor="middle" transform="{middle}"')
    for name, points in panel.series.items():
        line = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
        yield f'<polyline points="{line}" fill="none" stroke-width="2" {_stroke(name)}/>'


def _steps(most: float) -> tuple[float, float]:
    """Return a round step and the top of an axis of four to eight steps."""
    power = 10 ** math.floor(math.log10(most))
    step = next(s * power for s in (0.1, 0.2, 0.25, 0.5, 1, 2) if most / (s * power) <= 7)
    return step, math.ceil(most / step) * step


def _stroke(name: str) -> str:
    dashes = f' stroke-dasharray="{DASHED[name]}"' if name in DASHED else ""
    return f'stroke="{COLOURS[name]}"{dashes}'


def _text(x: float, y: float, text: str, more: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{text}</text>'


def _legend(panels: list[Panel], y: float) -> Iterator[str]:
    entries: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for panel in panels for name in panel.series):
        entries.setdefault(_stroke(name), []).append(name.removeprefix("nestdecode, "))
    x = LEFT
    for stroke, names in entries.items():
        ours = "nestdecode, " if f"nestdecode, {names[0]}" in COLOURS else ""
        label = ours + " / ".join(names)
        yield f'<path d="M{x} {y + 26}h26" stroke-width="2" {stroke}/>'
        yield _text(x + 32, y + 30, escape(label), "")
        x += 60 + 6 * len(label)
