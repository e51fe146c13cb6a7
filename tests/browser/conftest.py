import pytest
from support.jupyter import jupyterlab

from calico_lab.decks import chromium
from calico_lab.errors import MissingProgramError


@pytest.fixture(scope="session", autouse=True)
def _chromium():
    try:
        chromium.program()
    except MissingProgramError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory):
    """JupyterLab, with a lab that runs, as a new user gets it."""
    with jupyterlab("browser", tmp_path_factory.mktemp("home")) as jupyter:
        yield jupyter
