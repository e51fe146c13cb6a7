from calico_lab.local.network.pods import link_name


def test_a_pods_link_is_named_as_calico_names_it():
    # The start of what `echo -n default.backend | sha1sum` prints.
    assert link_name("default", "backend") == "cali1e9261921dc"
