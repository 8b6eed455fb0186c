#!/bin/bash
# shell.sh NAME: lists the machines, starts NAME, waits for the signal that it runs, and reads a line of its console.
. "$(dirname "$0")/../common.sh"
[ $# -eq 1 ] || usage NAME
path=$(domain "$1")
bus call "$service" "$qemu" org.virtbus1.Connect ListDomains 'a{sv}' 0
coproc signals { bus monitor "$service" --match="type='signal',path='$path',member='Lifecycle'" 2>&1; }
grep -m1 -q Monitoring <&"${signals[0]}" # busctl listens
bus call "$service" "$path" org.virtbus1.Domain Start 'a{sv}' 0
grep -m1 -o started <&"${signals[0]}"
kill "$signals_PID"
"$(dirname "$0")/../console.py" --bus="${VIRTBUS_BUS:-system}" --until=$'\n' "$1"
