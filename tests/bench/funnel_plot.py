"""The growth of cost with size, drawn as an SVG without any library."""

import math
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 720, 440, 70, 60, 40, 160
_COLOURS = ("#1b6ca8", "#c2571a", "#3c8d40", "#7a4fa3")

Line = Sequence[tuple[int, float]]


def plot(title: str, lines: Mapping[str, Line]) -> str:
    """Draw lines of (contacts, CPU-seconds) on two logarithmic axes; a slope of one means linear growth."""
    points = [point for line in lines.values() for point in line]
    sizes, costs = sorted({size for size, _ in points}), [cost for _, cost in points]
    low, high = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def at(size: float, cost: float) -> tuple[float, float]:
        along = (math.log10(size) - first) / ((last - first) or 1)
        up = (math.log10(cost) - low) / ((high - low) or 1)
        across = _WIDTH - _LEFT - _RIGHT
        return _LEFT + along * across, _HEIGHT - _BOTTOM - up * (_HEIGHT - _BOTTOM - _TOP)

    drawn = [_text(_LEFT, 22, title, "start"), _text(_LEFT, _HEIGHT - 12, "contacts (logarithmic)", "start")]
    for power in range(low, high + 1):
        across, up = at(sizes[0], 10.0**power)
        drawn.append(f'<path d="M{across:.1f} {up:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        drawn.append(_text(across - 8, up + 4, f"{10.0**power:g} s", "end"))
    drawn += [_text(at(size, 10.0**low)[0], _HEIGHT - _BOTTOM + 20, f"{size:,}", "middle") for size in sizes]
    for (name, line), colour in zip(lines.items(), _COLOURS, strict=False):
        marks = [at(size, cost) for size, cost in line]
        path = " ".join(f"{across:.1f},{up:.1f}" for across, up in marks)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3.5" fill="{colour}"/>' for across, up in marks]
        drawn.append(_text(marks[-1][0] + 10, marks[-1][1] + 4, name, "start", colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        f' font-size="13"><rect width="100%" height="100%" fill="#fff"/>{"".join(drawn)}</svg>\n'
    )


def _text(across: float, up: float, words: str, anchor: str, colour: str = "#333") -> str:
    return f'<text x="{across:.1f}" y="{up:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
