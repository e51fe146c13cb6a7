"""The scripts by which notebooks are written, executed and kept free of what differs from run to run."""

import importlib.util
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

SCRIPTS = Path(__file__).parents[3] / "scripts"


def load(name):
    specification = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


execute_notebooks, notebook_text = load("execute_notebooks"), load("notebook_text")
TEXT = '%%% markdown title\n# Title\n\n%%% code sum {"tags": ["solution"]}\n1 + 1\n'


@pytest.fixture
def path(tmp_path):
    (tmp_path / "lesson.ipynb").write_text(nbformat.writes(notebook_text.from_text(TEXT)) + "\n")
    return tmp_path / "lesson.ipynb"


def test_text_to_notebook_and_back():
    document = notebook_text.from_text(TEXT)
    assert [(cell.cell_type, cell.id, cell.source) for cell in document.cells] == [
        ("markdown", "title", "# Title"),
        ("code", "sum", "1 + 1"),
    ]
    assert notebook_text.to_text(document) == TEXT


def test_text_that_begins_with_no_cell_is_refused():
    with pytest.raises(ValueError, match="a cell begins with"):
        notebook_text.from_text("1 + 1\n%%% code sum\n")


def test_what_was_not_executed_is_a_problem_and_what_was_is_not(path):
    assert execute_notebooks.problems(path) == [f"{path}: cell 2 (sum): not executed"]
    assert execute_notebooks._execute(path)
    assert execute_notebooks.problems(path) == []
    assert nbformat.read(path, as_version=4).cells[1].outputs[0].data == {"text/plain": "2"}


def test_a_notebook_of_which_a_cell_fails_is_left_as_it_was(path, capsys):
    path.write_text(path.read_text().replace("1 + 1", "1 + nothing"))
    before = path.read_text()
    assert not execute_notebooks._execute(path)
    assert path.read_text() == before
    assert "NameError" in capsys.readouterr().err


def test_what_differs_from_run_to_run_is_a_problem_and_taken_out():
    view = {execute_notebooks.WIDGET: {"model_id": "1"}, "text/plain": "a bar"}
    cell = v4.new_code_cell("1", id="one", execution_count=1, outputs=[v4.new_output("display_data", view)])
    cell.metadata["execution"] = {"iopub.status.busy": "2026"}
    document = v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    normal = execute_notebooks._normal(document)
    assert normal.metadata == execute_notebooks.METADATA
    assert normal.cells[0].metadata == {}
    assert normal.cells[0].outputs[0].data == {"text/plain": "a bar"}


def test_the_stored_notebooks_are_free_of_it():
    stored = sorted((SCRIPTS.parent / "notebooks").glob("*.ipynb"))
    assert stored
    assert [problem for path in stored for problem in execute_notebooks.problems(path)] == []


def test_a_widget_s_number_is_found(path):
    document = nbformat.read(path, as_version=4)
    document.cells[1].execution_count = 1
    document.cells[1].outputs = [v4.new_output("display_data", {execute_notebooks.WIDGET: {}})]
    nbformat.write(document, path)
    assert execute_notebooks.problems(path) == [f"{path}: cell 2 (sum): the number of a widget"]
