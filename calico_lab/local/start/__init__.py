"""Start and stop of a lab: its programs, its state folder, its credentials, its namespaces and its root file system."""
