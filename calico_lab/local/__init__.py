"""The local lab: a producer of a kubeconfig and a bastion, on one Linux machine, without Docker or a cloud."""
