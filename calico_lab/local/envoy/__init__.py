"""Envoy's configuration, as pure functions: from what the Gateway API decided to the JSON that Envoy reads.

Start at :mod:`.xds` (what changes while Envoy runs) and :mod:`.bootstrap` (what it starts with). Shapes are those of
Envoy's v3 API (https://www.envoyproxy.io/docs/envoy/latest/api-v3/api), names and settings those that Envoy Gateway
1.5.9 gives them.
"""
