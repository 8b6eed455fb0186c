#!/bin/bash
# definition.sh NAME
# The definition of the machine NAME as values, without XML; of the one that runs, if it runs.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus --json=pretty call "$service" "$(domain "$1")" org.virtbus1.Domain GetDefinition 'a{sv}' 0
