"""PNG is drawn for JupyterLab's theme where one was chosen, and for a light page wherever nothing says otherwise."""

import pytest

from calico_lab.lessons.evenness import judge
from calico_lab.views import page_theme, style
from calico_lab.views.requests_plot import RequestsPlot

FILE = "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
SETTINGS = '{\n    // Theme\n    // "theme": "JupyterLab Dark",\n    "adaptive-theme": false,\n\n    "theme": "%s"\n}'


@pytest.fixture
def chosen(tmp_path):
    """The environment of a kernel whose learner has chosen a theme."""

    def choose(name):
        (tmp_path / FILE).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / FILE).write_text(SETTINGS % name)
        return {"JPY_SESSION_NAME": "x.ipynb", "JUPYTERLAB_SETTINGS_DIR": str(tmp_path)}

    return choose


@pytest.mark.parametrize(
    ("name", "dark"), [("JupyterLab Dark", True), ("JupyterLab Dark High Contrast", True), ("JupyterLab Light", False)]
)
def test_it_is_the_theme_that_was_chosen(chosen, name, dark):
    assert page_theme.is_dark(chosen(name)) is dark


def test_outside_of_a_jupyter_server_pages_are_light(chosen):
    """A notebook that is executed for a page or a test is none of the learner's JupyterLab."""
    environment = chosen("JupyterLab Dark")
    del environment["JPY_SESSION_NAME"]
    assert not page_theme.is_dark(environment)


def test_where_nothing_was_chosen_pages_are_light(tmp_path):
    assert not page_theme.is_dark({"JPY_SESSION_NAME": "x", "JUPYTERLAB_SETTINGS_DIR": str(tmp_path)})


def test_a_plot_differs_in_its_picture_and_not_in_its_text(chosen, monkeypatch):
    plot = RequestsPlot(judge([25, 25], 1))
    light, text = plot.png(), repr(plot)
    for name, value in chosen("JupyterLab Dark").items():
        monkeypatch.setenv(name, value)
    assert style.theme() is style.DARK
    assert plot.png() != light
    assert repr(plot) == text


def test_a_theme_that_was_named_comes_first(chosen, monkeypatch):
    for name, value in chosen("JupyterLab Dark").items():
        monkeypatch.setenv(name, value)
    style.use("light")
    try:
        assert style.theme() is style.LIGHT
    finally:
        style.use("auto")
