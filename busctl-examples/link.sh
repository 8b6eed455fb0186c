#!/bin/bash
# link.sh MACHINE ALIAS up|down
# Puts the cable into a network interface of a running machine, or pulls it out; net0 is the first interface.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage MACHINE ALIAS 'up|down'
case $3 in up) up=true ;; down) up=false ;; *) usage MACHINE ALIAS 'up|down' ;; esac
bus call "$service" "$(domain "$1")" org.virtbus1.Domain SetLink sb "$2" "$up"
