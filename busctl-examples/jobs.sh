#!/bin/bash
# jobs.sh
# The jobs that are under way, with operation and progress.
. "$(dirname "$0")/common.sh"
bus --json=short call "$service" /org/libvirt org.freedesktop.DBus.ObjectManager GetManagedObjects | python3 -c '
import json, sys
for path, interfaces in json.load(sys.stdin)["data"][0].items():
    job = interfaces.get("org.virtbus1.Job")
    if job:
        print(path, *(name + "=" + str(value["data"]) for name, value in sorted(job.items())))
'
