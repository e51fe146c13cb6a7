"""The decks as notebooks: how long they are, that there are notes to every slide, and what their page is made of."""

import re
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from calico_lab.decks import build, page, pdf
from calico_lab.errors import LabError, MissingProgramError

KINDS = {"slide", "subslide", "fragment", "notes", "skip", "-"}
DECKS = {path.stem: nbformat.read(path, as_version=4) for path in build.sources()}

every_deck = pytest.mark.parametrize("deck", DECKS.values(), ids=DECKS.keys())


def slides(deck):
    """The cells of each slide, without those that are skipped."""
    found = []
    for cell in deck.cells:
        kind = cell.metadata.slideshow.slide_type
        if kind in ("slide", "subslide"):
            found.append([])
        if kind != "skip":
            found[-1].append(cell)
    return found


def of_kind(cells, kind):
    return [cell for cell in cells if cell.metadata.slideshow.slide_type == kind]


@every_deck
def test_it_is_as_long_as_a_talk(deck):
    minutes = {"One": 1, "Two": 2, "Three": 3, "Four": 4}
    notes = " ".join(cell.source for cell in deck.cells if cell.metadata.slideshow.slide_type == "notes")
    told = re.findall(r"\*(\w+) minutes?[^*]*\.\*", notes)
    assert 15 <= len(slides(deck)) <= 25
    assert len(told) == len(slides(deck))
    assert 30 <= sum(minutes[each] for each in told) <= 40


@every_deck
def test_every_slide_has_a_heading_and_notes(deck):
    for cells in slides(deck):
        assert re.match(r"#{1,2} \S", cells[0].source), cells[0].source
        (notes,) = of_kind(cells, "notes")
        assert len(notes.source.split()) >= 25, cells[0].source


@every_deck
def test_words_are_few(deck):
    """What is read on a slide beside code and pictures; the sources do not count."""
    for cells in slides(deck):
        text = " ".join(
            re.sub(r"<small>.*?</small>", "", cell.source, flags=re.S)
            for cell in cells
            if cell.cell_type == "markdown" and cell.metadata.slideshow.slide_type != "notes"
        )
        assert len(text.split()) <= 75, cells[0].source


@every_deck
def test_its_metadata_are_the_usual_ones(deck):
    assert {cell.metadata.slideshow.slide_type for cell in deck.cells} <= KINDS
    assert deck.cells[0].metadata.slideshow.slide_type == "skip"


def test_a_page_has_slides_fragments_and_notes_but_not_what_is_skipped():
    def cell(kind, text, make=new_markdown_cell):
        return make(text, metadata={"slideshow": {"slide_type": kind}})

    cells = [
        cell("skip", "hidden = 1", new_code_cell), cell("slide", "# One"), cell("notes", "say this"),
        cell("fragment", "later"), cell("subslide", "## Below"), cell("slide", "# Two"),
    ]  # fmt: skip
    text = page.page(new_notebook(cells=cells), "A <deck>")
    body = text.partition("<body")[2]
    assert "<title>A &lt;deck&gt;</title>" in text
    assert "hidden" not in body.partition("<script>")[0]
    assert body.partition("<script>")[0].count("<section>") == 5  # two stacks, with two slides and with one
    assert re.search(r'<aside class="notes">\s*<p>say this', body)
    assert re.search(r'<div class="fragment">\s*<div class="cell markdown *"><p>later', body)


def test_a_bar_of_a_wait_is_not_on_the_page():
    bar = new_output("display_data", {page.WIDGET: {"model_id": "x"}, "text/plain": "Wait for: it"})
    wait = new_code_cell("wait()", outputs=[bar, new_output("execute_result", {"text/plain": "it is so"})])
    text = page.page(new_notebook(cells=[new_markdown_cell("# One"), wait]), "A deck")
    assert "it is so" in text
    assert "Wait for" not in text


def test_yaml_and_shell_are_coloured_as_such():
    assert 'class="nt">kind' in page.colored("%%apply\nkind: Gateway")
    assert '<span class="k">if</span>' in page.colored("%%bastion --no-check\nif true; then echo; fi")
    assert page.colored("%%apply\nkind: Gateway").count("#") == 0
    assert 'class="kn">import' in page.colored("import calico_lab")


def test_reveal_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    with pytest.raises(MissingProgramError, match="pip install sphinx-revealjs"):
        page.page(new_notebook(), "A deck")


def test_a_browser_that_is_not_installed_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError, match="sudo apt install chromium"):
        pdf.print_page(tmp_path / "deck.html", tmp_path / "deck.pdf")


def test_a_browser_that_prints_nothing_is_said(tmp_path, monkeypatch):
    (tmp_path / "chromium").write_text("#!/bin/sh\necho 'no display' >&2\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(LabError, match="no display"):
        pdf.print_page(tmp_path / "deck.html", tmp_path / "deck.pdf")


def test_nothing_of_the_decks_is_loaded_by_the_command_line():
    assert "sphinx" not in sys.modules
