"""Draws how time and memory of reports grow with the number of green threads: two panels of an SVG, both axes logarithmic."""
import math

WIDTH, HEIGHT, LEFT, TOP, GAP, PANEL_WIDTH, PANEL_HEIGHT = 1040, 520, 70, 40, 100, 400, 330
COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#7ac36a", "#d55e00", "#e69f00", "#cc79a7", "#555555")


class Panel:
    def __init__(self, left, title, lines, unit):
        self.left, self.title, self.lines, self.unit = left, title, lines, unit
        xs = [x for line in lines.values() for x, _ in line]
        ys = [y for line in lines.values() for _, y in line if y > 0]
        self.x_range = self.decades(xs)
        self.y_range = self.decades(ys)

    @staticmethod
    def decades(values):
        low, high = math.floor(math.log10(min(values)) + 1e-9), math.ceil(math.log10(max(values)) - 1e-9)
        return low, max(high, low + 1)

    def x(self, value):
        low, high = self.x_range
        return self.left + (math.log10(value) - low) / (high - low) * PANEL_WIDTH

    def y(self, value):
        low, high = self.y_range
        return TOP + PANEL_HEIGHT - (math.log10(value) - low) / (high - low) * PANEL_HEIGHT

    def svg(self):
        yield (f'<text x="{self.left + PANEL_WIDTH / 2}" y="{TOP - 14}" text-anchor="middle" font-weight="bold">'
               f"{self.title}</text>")
        for power in range(self.x_range[0], self.x_range[1] + 1):
            at = self.x(10**power)
            yield f'<path d="M{at:.1f} {TOP}v{PANEL_HEIGHT}" stroke="#ddd"/>'
            yield f'<text x="{at:.1f}" y="{TOP + PANEL_HEIGHT + 18}" text-anchor="middle">{10**power:,}</text>'
        for power in range(self.y_range[0], self.y_range[1] + 1):
            at = self.y(10**power)
            yield f'<path d="M{self.left} {at:.1f}h{PANEL_WIDTH}" stroke="#ddd"/>'
            yield f'<text x="{self.left - 6}" y="{at + 4:.1f}" text-anchor="end">{10**power:,} {self.unit}</text>'
        for colour, line in zip(COLOURS, self.lines.values()):
            points = [f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in line if y > 0]
            yield f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
            yield from (f'<circle cx="{at.split(",")[0]}" cy="{at.split(",")[1]}" r="3" fill="{colour}"/>' for at in points)


def write_plot(path, seconds, growth):
    """`seconds` and `growth` (bytes): {name: [(count, value), ...]}, the same names in both."""
    milliseconds = {name: [(x, 1000 * y) for x, y in line] for name, line in seconds.items()}
    megabytes = {name: [(x, y / 1e6) for x, y in line] for name, line in growth.items()}
    panels = [Panel(LEFT + 20, "signal to last byte", milliseconds, "ms"),
              Panel(LEFT + 20 + PANEL_WIDTH + GAP, "growth of memory", megabytes, "MB")]
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for panel in panels:
        lines += panel.svg()
        lines.append(f'<text x="{panel.left + PANEL_WIDTH / 2}" y="{TOP + PANEL_HEIGHT + 38}" text-anchor="middle">'
                     "green threads</text>")
    for i, (colour, name) in enumerate(zip(COLOURS, seconds)):
        x, y = LEFT + 20 + i % 3 * 300, TOP + PANEL_HEIGHT + 70 + i // 3 * 24
        lines += [f'<path d="M{x} {y - 4}h24" stroke="{colour}" stroke-width="3"/>', f'<text x="{x + 32}" y="{y}">{name}</text>']
    path.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")
