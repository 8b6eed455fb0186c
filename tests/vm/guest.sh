#!/bin/bash
# guest.sh [-r] OUTDIR
#
# Puts a small real Linux guest into OUTDIR: `vmlinuz` and `initramfs`.  The kernel is Debian's cloud kernel, taken
# out of its package without installing it; userspace is busybox.  Both are made once and kept in a cache
# ($VIRTBUS_CACHE, or virtbus-tests in the user's cache folder), OUTDIR gets copies.  -r makes them again.
#
# The guest prints GUEST-READY on its serial console (ttyS0), with its uptime and boot id, gives a root shell there,
# and powers off at the ACPI power button.  Words on its kernel command line make it do something by itself some
# seconds after that: virtbus.panic=SECONDS, virtbus.poweroff=SECONDS, virtbus.reboot=SECONDS.  With
# virtbus.deaf=1 it does not react to the power button.
set -euo pipefail

remake=
while getopts r option; do
        case $option in
        r) remake=1 ;;
        *) exit 2 ;;
        esac
done
shift $((OPTIND - 1))
out=${1:?usage: $0 [-r] OUTDIR}

cache=${VIRTBUS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/virtbus-tests}
mkdir -p "$cache" "$out"
cache=$(realpath "$cache")

# In the order in which they can be loaded; what a kernel has built in is skipped.
modules=(virtio_pci virtio_net virtio_blk virtio_scsi sd_mod virtio_balloon virtio_console virtio-rng
        ahci ata_piix evdev button pvpanic pvpanic-mmio pvpanic-pci ext4)

note() {
        echo "guest.sh: $*" >&2
}

# Fetches and unpacks Debian's cloud kernel below $1.
kernel_unpack() {
        local tree=$1 name

        kernel_name() {
                apt-cache depends linux-image-cloud-amd64 2> /dev/null |
                        awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }'
        }
        name=$(kernel_name)
        if [ -z "$name" ] && [ "$(id -u)" -eq 0 ]; then
                apt-get -q update > /dev/null
                name=$(kernel_name)
        fi
        if [ -z "$name" ]; then
                note "apt knows no linux-image-cloud-amd64: run apt-get update"
                return 1
        fi
        note "fetching $name"
        mkdir -p "$tree"
        (
                cd "$tree"
                # apt gives up its rights for a download where the folder lets it; here it has none to give up.
                apt-get -q -o APT::Sandbox::User=root download "$name" > download.log 2>&1 ||
                        { cat download.log >&2; exit 1; }
                dpkg -x "$name"_*.deb x
                rm -f "$name"_*.deb
        )
        depmod -b "$tree/x" "$(ls "$tree/x/lib/modules")"
}

# Writes the guest's /init to $1.
init_write() {
        cat > "$1" << 'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root TERM=vt100
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
mount -t tmpfs run /run
while read -r module; do
        insmod "/modules/$module" 2> /dev/null
done < /modules/order
hostname guest
ip link set lo up
[ -e /sys/class/net/eth0 ] && ip link set eth0 up

# word NAME: the value of a word of the kernel's command line
word() {
        for w in $(cat /proc/cmdline); do
                [ "${w%%=*}" = "$1" ] && echo "${w#*=}"
        done
}

# later NAME COMMAND: runs COMMAND as many seconds from now as the word says
later() {
        seconds=$(word "$1")
        [ -n "$seconds" ] && (sleep "$seconds"; eval "$2") &
}

[ -n "$(word virtbus.deaf)" ] || acpid -l /run/acpid.log
echo "GUEST-READY uptime=$(cut -d' ' -f1 /proc/uptime) boot_id=$(cat /proc/sys/kernel/random/boot_id)"
later virtbus.panic 'echo c > /proc/sysrq-trigger'
later virtbus.poweroff 'poweroff -f'
later virtbus.reboot 'reboot -f'
# A shell that knows the size of its terminal does not ask for it with an escape sequence.
stty -F /dev/ttyS0 cols 80 rows 24
while :; do
        setsid cttyhack sh -l
done
INIT
        chmod 0755 "$1"
}

# Packs the initramfs $2 from the unpacked kernel $1.
initramfs_pack() {
        local x=$1/x target=$2 root=$1/root version path

        version=$(ls "$x/lib/modules")
        rm -rf "$root"
        mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,root,etc/acpi/PWRF,modules}
        cp "$(command -v busybox)" "$root/bin/busybox"
        init_write "$root/init"
        # busybox acpid turns the power button's key event into running this file
        printf '#!/bin/busybox sh\npoweroff -f\n' > "$root/etc/acpi/PWRF/00000080"
        chmod 0755 "$root/etc/acpi/PWRF/00000080"
        printf 'root:x:0:0:root:/root:/bin/sh\n' > "$root/etc/passwd"
        printf 'root:x:0:\n' > "$root/etc/group"
        printf "export PS1='root@guest:\\\\w# '\n" > "$root/etc/profile"
        : > "$root/modules/order"
        for module in "${modules[@]}"; do
                modprobe -d "$x" -S "$version" --show-depends "$module" 2> /dev/null || true
        done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
                cp "$path" "$root/modules/"
                basename "$path" >> "$root/modules/order"
        done
        (cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0 | gzip -n -1) > "$target.new"
        mv "$target.new" "$target"
}

# Two test runs may want the guest at the same time: one makes it, the other waits.
exec 9> "$cache/lock"
flock 9
[ -z "$remake" ] || rm -f "$cache/vmlinuz" "$cache/initramfs"
if [ ! -e "$cache/vmlinuz" ] || [ ! -e "$cache/initramfs" ] || [ "$0" -nt "$cache/initramfs" ]; then
        [ -d "$cache/kernel/x/lib/modules" ] || kernel_unpack "$cache/kernel"
        initramfs_pack "$cache/kernel" "$cache/initramfs"
        cp "$cache"/kernel/x/boot/vmlinuz-* "$cache/vmlinuz.new"
        chmod 0644 "$cache/vmlinuz.new" "$cache/initramfs"
        mv "$cache/vmlinuz.new" "$cache/vmlinuz"
        rm -rf "$cache/kernel/root"
fi
exec 9>&-
# Copies: a machine may run as a user who cannot look into the home folder of whoever made the cache.
cp -u --preserve=mode,timestamps --reflink=auto "$cache/vmlinuz" "$cache/initramfs" "$out/"
