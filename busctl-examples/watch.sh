#!/bin/bash
# watch.sh
# Shows what happens to the machines until you end it with Ctrl-C: life cycle, changed properties, jobs.  On the system bus only root
# may be a monitor; everybody may use `gdbus monitor --system --dest org.virtbus1`, and sees what they may see.
. "$(dirname "$0")/common.sh"
bus monitor "$service" --match="type='signal',path_namespace='/org/libvirt'"
