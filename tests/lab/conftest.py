import pytest
from support import users


@pytest.fixture(scope="module", params=users.NAMES)
def user(request, tmp_path_factory):
    """Root, and an ordinary user: each test that asks for it is run as both, where the tests may choose."""
    return users.make_user(request.param, tmp_path_factory.mktemp(request.param))
