"""A hundred labs of each user, side by side, leave the machine as the first one did."""

import pytest
from support.quarantine import run_for_all

CYCLES = 100
GROWTH_LIMIT_KILOBYTES = 20_000  # 100 for each lab of both users: a network namespace that stayed would be far more


@pytest.mark.timeout(900)
def test_no_growth_over_many_labs():
    for told in run_for_all("cycles", str(CYCLES), time_limit=880):
        first, last = told["kernel kilobytes"]
        assert last - first < GROWTH_LIMIT_KILOBYTES, told
