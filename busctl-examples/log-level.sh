#!/bin/bash
# log-level.sh [LEVEL]
# Says how much the daemon logs, or sets it: debug, info, notice, warning, err ...
. "$(dirname "$0")/common.sh"
log=(/org/freedesktop/LogControl1 org.freedesktop.LogControl1 LogLevel)
if [ $# -eq 0 ]; then
        bus get-property "$service" "${log[@]}" | value
else
        bus set-property "$service" "${log[@]}" s "$1"
fi
