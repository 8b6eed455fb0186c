#!/bin/bash
# objects.sh
# Every object that you may see with all properties, in one call, as JSON.
. "$(dirname "$0")/common.sh"
bus --json=short call "$service" /org/libvirt org.freedesktop.DBus.ObjectManager GetManagedObjects
