"""What is wrong with the lab or the library shows in 16: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "16-tls"
LOSSY = """
issue = authority.issue
class Late:
    def __init__(self, issued):
        self.certificate, self._issued = issued.certificate, issued
    def into_secret(self, cluster, name):
        cluster.delete("Secret", name)
        waits.until(lambda: tls.shown(lab.bastion, address, "www.example.com") is None, "gone", remedy="", shown=False)
        self._issued.into_secret(cluster, name)
authority.issue = lambda name: Late(issue(name))
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "a fault of a listener that is not there": (replaced("listeners", "shop-certificate", "www-certificate"), "status"),
    "nobody is trusted": (replaced("curl", "--cacert ca.crt", ""), "curl"),
    "a certificate for more names": (
        replaced("sni", '"shop.example.net")\n', '"shop.example.net", "*.example.net")\n'),
        "sni",
    ),
    "a renewal with a gap": (preceded("renew", LOSSY), "renew"),
    "a gateway that reads": (
        replaced("ways", 'https://private.example.com/"]', 'https://www.example.com/round"]'),
        "ways",
    ),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-tls") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
