"""The form of the notebooks, as far as it can be counted."""

from itertools import pairwise

import nbformat
import pytest

from calico_lab import course_notebooks

MOST = 15
# Five prerequisites in one notebook, each of them looked at before and after it is taken.
PREREQUISITES = {"01-before-you-begin": 18}


@pytest.mark.parametrize("name", sorted(path.stem for path in course_notebooks.source().glob("*.ipynb")))
def test_a_lesson_has_no_more_cells_than_can_be_followed(name):
    assert len(course_notebooks.code_cells(name)) <= PREREQUISITES.get(name, MOST)


def test_a_lesson_names_the_next_at_its_end():
    paths = sorted(course_notebooks.source().glob("*.ipynb"))
    for path, following in pairwise(paths):
        end = nbformat.read(path, as_version=4).cells[-1]
        assert following.stem in end.source, path.name
