"""Cluster DNS: names of Services and of the pods behind them, as CoreDNS answers them in a Kubernetes cluster.

``records`` decides, purely; ``server`` is the program behind the Service ``kube-system/kube-dns``.
"""
