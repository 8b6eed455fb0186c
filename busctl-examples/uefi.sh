#!/bin/bash
# uefi.sh NAME
# Defines a machine as Windows 11 wants it, with EFI, secure boot and a TPM; prints its object path. The firmware is
# chosen by what QEMU's packages say of theirs, when the machine is started; `undefine` with flag 4 (NVRAM) removes what it
# has remembered.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$qemu" org.libvirt.Connect DomainDefineXML s "
<domain type='qemu'><name>$1</name><memory unit='MiB'>512</memory><vcpu>2</vcpu>
<os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type>
<firmware><feature name='secure-boot' enabled='yes'/><feature name='enrolled-keys' enabled='yes'/></firmware></os>
<features><acpi/><smm state='on'/></features>
<devices><tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
<graphics type='vnc' autoport='yes'/><video><model type='vga'/></video></devices></domain>" | value
