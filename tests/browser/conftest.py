import pytest
from support import browser
from support.jupyter import jupyterlab


@pytest.fixture(scope="session", autouse=True)
def _chromium():
    if browser.program() is None:
        pytest.exit("chromium is needed: sudo apt install chromium", returncode=1)


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory):
    """JupyterLab, with a lab that runs, as a new user gets it."""
    with jupyterlab("browser", tmp_path_factory.mktemp("home")) as jupyter:
        yield jupyter
