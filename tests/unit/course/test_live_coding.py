"""Copies for the stage, in step with the one source: every cell is there, emptied, and can be filled again."""

import json

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from calico_lab import cli, course_notebooks, live_coding
from calico_lab.errors import LabError, StepError
from calico_lab.lessons import catching_up, outline
from calico_lab.lessons.catching_up import CodeCell, cells_before

NAMES = sorted(path.stem for path in course_notebooks.source().glob("*.ipynb"))
ADDED = ["stage-how", "stage"]


def require_in_step(source, live, filled):
    """Every cell of the source is in the copy, in order: narration as it is, code emptied, and found when asked for."""
    assert [cell["id"] for cell in live["cells"]] == [*ADDED, *(cell["id"] for cell in source["cells"])]
    for cell, copied in zip(source["cells"], live["cells"][len(ADDED) :], strict=True):
        if cell["cell_type"] == "markdown":
            assert copied == cell
            continue
        prompt = copied["source"].splitlines()
        assert prompt
        assert all(line.startswith("# ") for line in prompt)
        assert (copied["outputs"], copied["execution_count"]) == ([], None)
        assert filled[cell["id"]] == "".join(cell["source"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage")
    course_notebooks.copy(folder, live=True)
    return folder


@pytest.fixture
def stage():
    """A shell with the magics, and what they put after its prompt."""
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "calico_lab.views.stage")
    put = []
    shell.set_next_input = lambda text, replace: put.append((text, replace))
    return shell, put


def of(name, folder):
    source = json.loads((course_notebooks.source() / f"{name}.ipynb").read_text())
    return source, json.loads((folder / f"{name}.ipynb").read_text())


def fillings(stage, source):
    """What `%solution` puts in the place of each cell, asked in the order of the lesson."""
    shell, put = stage
    names = [cell["id"] for cell in source["cells"] if cell["cell_type"] == "code"]
    for _name in names:
        shell.run_line_magic("solution", "")
    return dict(zip(names, [text for text, replace in put if replace], strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_each_copy_is_in_step_with_its_source(name, folder, stage):
    source, live = of(name, folder)
    stage[0].run_line_magic("stage", name)
    require_in_step(source, live, fillings(stage, source))


@pytest.mark.parametrize("lost", [0, 7, -1])
def test_a_cell_that_is_lost_is_noticed(lost, folder, stage):
    source, live = of("02-round-robin", folder)
    stage[0].run_line_magic("stage", "02-round-robin")
    filled = fillings(stage, source)
    del live["cells"][len(ADDED) + lost if lost >= 0 else lost]
    with pytest.raises(AssertionError):
        require_in_step(source, live, filled)


def test_the_source_is_left_as_it_is(folder):
    source, _ = of("02-round-robin", folder)
    before = json.dumps(source)
    live_coding.derive("02-round-robin", source)
    assert json.dumps(source) == before


@pytest.mark.parametrize(
    ("source", "prompt"),
    [
        ('lab.check("bgp")', '# lab.check("bgp")'),
        ("from a import b\nx = b.c(1, d(2))", "# from a import b\n# x = b.c(1, …)"),
        ("def f(a):\n    b = 1\n    return b\n\nf(2)", "# def f(a): …\n# f(2)"),
        ('print("sent:", report.sent, f"{a}")', '# print("sent:", report.sent, …)'),
        ("%bastion ip route get {address} | head -1\nx", "# %bastion ip route get …\n# x"),
        (
            "%%apply\nkind: A\nmetadata: {name: x}\n---\nkind: B\nmetadata: {name: y}",
            "# %%apply …\n#     A x\n#     B y",
        ),
        (
            "%%bastion -o x\nkubectl patch y '\nspec:\n  a: b\n'\nls",
            "# %%bastion -o x …\n#     kubectl patch y …\n#     ls",
        ),
    ],
)
def test_a_prompt_says_what_to_type(source, prompt):
    assert outline.of(source) == prompt


def cells(name):
    return course_notebooks.code_cells(name)


def test_steps_of_the_guide_are_taken_at_once():
    before = cells_before(cells("02-round-robin"), "run-hey")
    assert [cell.name for cell in before] == ["connect", "prepare", "wait-ready", "get-address"]
    assert before[1].source == 'lab.begin("route")'
    fresh = cells_before(cells("01-before-you-begin"), "install-hey")
    assert 'lab.begin("gateway-api")' in fresh[0].source
    assert {"sessions-before", "routes-before", "routes-after"} <= {cell.name for cell in fresh}


def test_what_a_variable_remembers_is_read_in_its_own_moment():
    apply = next(cell for cell in cells("02-round-robin") if cell.name == "apply-backend")
    lesson = [CodeCell("begin", 'lab.begin("prerequisites")'), CodeCell("remember", "before = look()"), apply]
    assert cells_before(lesson, "end") == lesson


def test_what_only_shows_is_left_out_and_what_does_something_is_not():
    lesson = [
        CodeCell("import", "from calico_lab.views.order_plot import OrderPlot"),
        CodeCell("shown", "OrderPlot(order)"),
        CodeCell("checked", 'lab.check("bgp")'),
        CodeCell("sent", "OrderPlot(rotation.one_by_one(lab, address, 24))"),
        CodeCell("kept", "plot = OrderPlot(order)"),
    ]
    assert [cell.name for cell in cells_before(lesson, "end")] == ["import", "sent", "kept"]


@pytest.mark.parametrize("name", NAMES)
def test_each_cell_of_each_lesson_can_be_jumped_to(name):
    """Whatever a cell below assigned, or defined, or imported, is there: only cells that do none of it are left out."""
    lesson = cells(name)
    left_out = {cell.name for cell in lesson} - {cell.name for cell in cells_before(lesson, catching_up.END)}
    for cell in lesson:
        if cell.name in left_out and not cell.source.startswith("%%"):
            assert "=" not in cell.source.partition("(")[0], cell.name


def test_errors_say_what_there_is(stage):
    shell, _ = stage
    with pytest.raises(UsageError, match="%stage NAME"):
        shell.run_line_magic("solution", "")
    with pytest.raises(LabError, match="02-round-robin"):
        shell.run_line_magic("stage", "02-around-robin")
    shell.run_line_magic("stage", "02-round-robin")
    with pytest.raises(UsageError, match="name one of connect, prepare"):
        shell.run_line_magic("run_to", "judge-it")
    with pytest.raises(StepError, match="judge-it"):
        cells_before(cells("02-round-robin"), "judge-it")


def test_the_command_writes_copies_and_opens_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["notebooks", "--live", "--only-write"]) == 0
    assert {path.stem for path in (tmp_path / "calico-lab-stage").glob("*.ipynb")} == set(NAMES)
    assert "notebooks copied to calico-lab-stage" in capsys.readouterr().out
