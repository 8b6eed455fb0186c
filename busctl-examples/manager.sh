#!/bin/bash
# manager.sh
# The daemon itself: version, statistics, limits.
. "$(dirname "$0")/common.sh"
bus --json=pretty call "$service" /org/libvirt org.freedesktop.DBus.Properties GetAll s org.virtbus1.Manager
