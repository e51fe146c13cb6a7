import pytest

from calico_lab.lessons import durations


@pytest.mark.parametrize(
    ("text", "wanted"), [(None, None), ("500ms", 0.5), ("0.500s", 0.5), ("1m30s", 90.0), ("2s", 2.0), ("0s", 0.0)]
)
def test_durations_of_policies_and_of_envoy(text, wanted):
    assert durations.seconds(text) == wanted
