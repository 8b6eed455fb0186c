#!/bin/bash
# resume.sh NAME
# Lets the processors of the machine NAME go on.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$(domain "$1")" org.virtbus1.Domain Resume
