#!/bin/bash
# test-fibers.sh BUILD: the gdb command shows the fibers of a test that waits, each with its own stack.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

output=$(gdb -batch -nx -ex 'set breakpoint pending on' -ex 'break condition_wake_all' -ex run \
        -x "$here/fibers.py" -ex fibers --args "$1/tests/unit/test-await" 2>&1)
expect() {
        grep -Eq "$1" <<<"$output" || { printf 'no line with %s in:\n%s\n' "$1" "$output"; exit 1; }
}
expect '^fiber 1 waiter \(suspended\)'
expect 'condition_wait'
expect 'waits_on_condition'
expect '^fiber 4 test \(running\)'
expect '^4 fibers'
