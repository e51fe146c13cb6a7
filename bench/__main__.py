"""`make bench`: the project's figures, each a median of several runs within one sitting.

The machines this runs on are shared, so throughput is given as a ratio of two measurements made in turn, and each
figure is printed with its smallest and largest value.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from bench import (
    apiserver,
    changes,
    first_plot,
    guide,
    imports,
    live_coding,
    memory,
    setup,
    several,
    startup,
    throughput,
)
from bench.measure import Figure

SECTIONS: dict[str, Callable[[], Iterator[Figure]]] = {
    "imports": imports.figures,
    "startup": startup.figures,
    "guide": guide.figures,
    "changes": changes.figures,
    "apiserver": apiserver.figures,
    "memory": memory.figures,
    "live_coding": live_coding.figures,
    "several": several.figures,
    "throughput": throughput.figures,
    "setup": setup.figures,
    "first_plot": first_plot.figures,
}


def main() -> None:
    """Run the sections named on the command line, or all of them, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="which to run (all)")
    chosen = parser.parse_args().sections or list(SECTIONS)
    table = Table("figure", "median", "min", "max", "unit", "to reach", title="calico_lab bench")
    for column in table.columns[1:4]:
        column.justify = "right"
    for section in chosen:
        print(f"measuring {section} ...", file=sys.stderr, flush=True)
        for figure in SECTIONS[section]():
            low, high = min(figure.values), max(figure.values)
            table.add_row(
                figure.name,
                *(f"{value:,.3g}" if value < 1000 else f"{value:,.0f}" for value in (figure.median, low, high)),
                figure.unit,
                figure.target,
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
