"""FIDELITY.md says which kinds and verbs are served: what the server itself says."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[3]
_SPEC = importlib.util.spec_from_file_location("make_fidelity_table", ROOT / "scripts" / "make_fidelity_table.py")
table = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(table)


def test_the_page_is_up_to_date():
    assert table.main(["--check"]) == 0, "run python scripts/make_fidelity_table.py"


async def test_every_kind_that_is_discovered_has_a_row(ask, gateway_api):
    rows = [line.split(" | ") for line in table.rows()]
    named = {(cells[0].removeprefix("| "), cells[1].partition(" ")[0]) for cells in rows}
    for group in (await ask("GET", "/apis")).body["groups"]:
        for version in group["versions"]:
            listed = (await ask("GET", f"/apis/{version['groupVersion']}")).body["resources"]
            kinds = {(each["kind"], group["name"]) for each in listed if "/" not in each["name"]}
            assert kinds <= named


async def test_a_denied_kind_is_denied(ask):
    row = next(line for line in table.rows() if line.startswith("| NetworkPolicy | networking"))
    assert "create" not in row.split(" | ")[2]
    path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    assert (await ask("POST", path, {"metadata": {"name": "x"}, "spec": {"podSelector": {}}})).status == 403


def test_a_page_without_a_table_gets_one_and_keeps_its_prose():
    page = table.with_table("# Prose\n\nMore.\n")
    assert page.startswith("# Prose\n\nMore.\n\n<!-- kinds -->\n")
    assert table.with_table(page) == page
    assert table.with_table(page.replace("| Pod |", "| Pond |")) == page
