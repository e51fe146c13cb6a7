"""The course's notebooks in JupyterLab, as a learner has them: open, Run All, wait for the end."""

import pytest
from support.jupyter import opened, take_picture

from calico_lab import course_notebooks
from calico_lab.lessons import results

PLOT = "document.querySelector('.jp-OutputArea img[src^=\"data:image/png\"]')"
ROUND_ROBIN = "02-round-robin.ipynb"
NAMES = [path.name for path in sorted(course_notebooks.source().glob("*.ipynb"))]

pytestmark = pytest.mark.timeout(300)


def require_run_to_the_end(cells):
    failed = [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert failed == []
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@pytest.mark.parametrize("name", [name for name in NAMES if name != ROUND_ROBIN])
async def test_it_runs_to_the_end(jupyter, name):
    async with opened(jupyter, name) as notebook:
        require_run_to_the_end(await notebook.run_all())


async def test_round_robin_runs_to_the_end_and_its_plot_is_seen(jupyter):
    async with opened(jupyter, ROUND_ROBIN) as notebook:
        require_run_to_the_end(await notebook.run_all())
        assert "02-round-robin" in {taken.name for taken in results.read(jupyter.folder, course_notebooks.source())}
        await notebook.scroll_to(PLOT)
        await notebook.page.until(f"{PLOT}.naturalWidth > 600 && {PLOT}.naturalHeight > 200")
        await take_picture(notebook.page, "jupyterlab.png")
