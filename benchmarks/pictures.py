"""The README's pictures, drawn from a recorded run: ``python benchmarks/pictures.py benchmarks/results/FILE.json``."""

import re
import sys
from pathlib import Path

from mlpxp.bench.record import read_record
from mlpxp.report.page import STYLE
from mlpxp.report.pictures import svg

PICTURES = {"complexity": "timed-numpy", "counted": "counted-all-widths", "accuracy": "step-float64"}  # file: figure
LIGHT = dict(re.findall(r"--([\w-]+): (#\w+)", STYLE[: STYLE.index("@media")]))


def main(path: str) -> None:
    figures = {figure.name: figure for section in read_record(path).sections for figure in section.figures}
    for name, figure in PICTURES.items():
        drawn = re.sub(r"var\(--([\w-]+)\)", lambda found: LIGHT[found[1]], svg(figures[figure], name))
        paper = f'<rect width="100%" height="100%" fill="{LIGHT["paper"]}"/>'
        opening, rest = drawn.split(">", 1)
        file = Path(path).parent / f"{name}.svg"
        file.write_text(f'{opening} xmlns="http://www.w3.org/2000/svg" font-family="sans-serif">{paper}{rest}\n', encoding="utf-8")
        print(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
