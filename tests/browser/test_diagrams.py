"""The diagrams of the slides: every word stands inside of its picture and of its box, and on no other word."""

import importlib
import inspect

import pytest
from support import browser

from calico_lab.decks.build import sources
from calico_lab.views.diagrams import graph, grid
from calico_lab.views.diagrams.diagram import Diagram
from calico_lab.views.diagrams.graph import Box, Layout

MODULES = [importlib.import_module(f"calico_lab.views.diagrams.{path.stem}") for path in sources()]
DIAGRAMS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": draw
    for module in MODULES
    for name, draw in inspect.getmembers(module, inspect.isfunction)
    if draw.__module__ == module.__name__ and not name.startswith("_")
}

WRONG = """(() => {
  const svg = document.querySelector("svg"), sheet = svg.getBoundingClientRect(), wrong = [];
  const boxes = [...svg.querySelectorAll("rect:not(.paper):not(.stripe)")].map(it => it.getBoundingClientRect());
  const words = [...svg.querySelectorAll("text")].map(it => ({said: it.textContent, box: it.getBoundingClientRect()}));
  const holds = (outer, inner) => outer.left <= inner.left + 1 && outer.right >= inner.right - 1
    && outer.top <= inner.top + 1 && outer.bottom >= inner.bottom - 1;
  const meets = (one, other) => one.left < other.right - 1 && other.left < one.right - 1
    && one.top < other.bottom - 4 && other.top < one.bottom - 4;
  for (const {said, box} of words) {
    if (!holds(sheet, box)) wrong.push(`outside of the picture: ${said}`);
    if (boxes.some(each => meets(each, box) && !holds(each, box))) wrong.push(`across the edge of a box: ${said}`);
  }
  words.forEach((one, number) => words.slice(number + 1).forEach(other => {
    if (meets(one.box, other.box)) wrong.push(`one on the other: ${one.said} / ${other.said}`);
  }));
  return wrong;
})()"""


async def wrong_in(diagram):
    async with browser.page(1280, 720) as page:
        await page.evaluate(f"document.body.innerHTML = {diagram.document!r}")
        return await page.evaluate(WRONG)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
async def test_every_word_has_its_place(module):
    for name, draw in DIAGRAMS.items():
        if draw.__module__ == module.__name__:
            diagram = draw()
            assert isinstance(diagram, Diagram)
            assert (name, await wrong_in(diagram)) == (name, [])


@pytest.mark.parametrize(
    ("diagram", "problem"),
    [
        (graph.draw("x", Layout(4, 1), {"box": Box(1, 0, ("a" * 30,))}), "across the edge of a box"),
        (graph.draw("x", Layout(4, 1), {"box": Box(3, 0, ("words", "a" * 60), "words")}), "outside of the picture"),
        (grid.draw("x", ("one", "two"), [("a" * 40, "b")], (1, 3)), "one on the other"),
    ],
)
async def test_a_word_too_many_is_found(diagram, problem):
    assert any(each.startswith(problem) for each in await wrong_in(diagram))
