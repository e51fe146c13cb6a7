#!/bin/sh
# tcpdump, run as root, wants to become another user, and the lab has but one.
host=$(hostname)
echo "tcpdump cannot run on the lab's nodes. Capture there, and let this machine's tcpdump read it:" >&2
echo "calico-lab node $host -- capture eth0 | tcpdump -nr -" >&2
exit 1
