import re

import pytest
from support import guide

from calico_lab.errors import StepError
from calico_lab.lessons import steps


@pytest.mark.parametrize(
    ("step", "in_guide"),
    [
        ("ip-pool", "ip-pool"),
        ("bgp", "bgp"),
        ("gateway-api", "gateway-api"),
        ("backend", "backend"),
        ("gateway", "gateway"),
        ("route", "route-and-policy"),
    ],
)
def test_manifests_are_the_guide_s(step, in_guide):
    (applied,) = re.findall(r"kubectl apply -f - <<EOF\n(.*?)^EOF$", guide.command(in_guide), re.DOTALL | re.MULTILINE)
    assert steps.manifest(step) == applied


def test_steps_come_in_the_order_of_the_guide():
    assert [step.name for step in steps.upto("gateway-api")] == ["ip-pool", "bgp", "import-filter", "gateway-api"]
    assert steps.upto("route") == list(steps.STEPS)


def test_prerequisites_are_all_five_of_them():
    assert [step.name for step in steps.upto("prerequisites")][-1] == "hey"
    assert len(steps.upto("prerequisites")) == 5


def test_an_unknown_step_is_told_with_the_known_ones():
    with pytest.raises(StepError, match="prerequisites"):
        steps.upto("nonsense")


def test_each_step_has_a_manifest_or_a_command():
    for step in steps.STEPS:
        assert (
            bool(step.command)
            is not (steps.resources.files("calico_lab.lessons") / "manifests").joinpath(f"{step.name}.yaml").is_file()
        )
