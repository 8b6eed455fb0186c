#!/bin/bash
# define-native.sh NAME DISK
# Defines a machine with a disk (a qcow2 image), a network card, a screen and a gigabyte of memory, without XML: a call of
# one line, whose keys are those that `definition.sh` shows.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME DISK
bus call "$service" "$qemu" org.virtbus1.Connect DefineDomain 'a{sv}a{sv}' 6 name s "$1" type s qemu memory_kib u 1048576 vcpus u 2 os 'a{sv}' 1 type s hvm devices 'a{sv}' 3 disks 'aa{sv}' 1 4 format s qcow2 target s vda bus s virtio source 'a{sv}' 1 file s "$2" interfaces 'aa{sv}' 1 2 type s user model s virtio graphics 'aa{sv}' 1 2 type s vnc autoport b true 0 | value
