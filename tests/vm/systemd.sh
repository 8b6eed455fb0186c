#!/bin/bash
# systemd.sh [-k] [WHAT]
#
# The installed service under a real systemd, in a throwaway machine: QEMU without KVM, Debian's kernel, and as its root
# the file system of this host, read-only below a tmpfs, with virtbus installed over it. Nothing of the host is written
# to but a temporary folder, which -k keeps. The kernel is fetched once and kept where guest.sh keeps its own, and so are
# the servers that WHAT needs: installed on the host they would be started there. What is tested stands in
# WHAT-inside.sh (systemd, storage, host, passthrough, sriov, interfaces); each check is
# an "ok" or "not ok" line, and all must be there.
# Needs root, because the machine's root reads the host's files.
set -euo pipefail

keep=
while getopts k option; do
        case $option in
        k) keep=1 ;;
        *) exit 2 ;;
        esac
done
shift $((OPTIND - 1))
here=$(cd "$(dirname "$0")" && pwd)
what=${1:-systemd}
inside=$here/$what-inside.sh
declare -A servers=([storage]="tgt nfs-kernel-server nfs-common rpcbind open-iscsi multipath-tools" [interfaces]="network-manager ifupdown isc-dhcp-client")
# What the machine has beside what all need: behind an IOMMU, a network card that can be given away, and one device of
# each other kind; cards with names of their own, on no network or on one; a card with virtual functions, which only a newer QEMU has.
declare -A hardware=([host]="-device intel-iommu -device pcie-root-port,id=spare,bus=pcie.0,addr=0x10
        -device e1000e,bus=spare,mac=52:54:00:12:34:56 -device qemu-xhci,addr=0x11 -device usb-tablet,serial=tablet1
        -device bochs-display,addr=0x12"
        [interfaces]="-device virtio-net-pci,addr=0x10 -device virtio-net-pci,addr=0x11 -device virtio-net-pci,addr=0x12
        -netdev hubport,hubid=0,id=wire0 -device virtio-net-pci,addr=0x13,netdev=wire0,mac=52:54:00:80:00:01
        -netdev hubport,hubid=0,id=wire1 -device virtio-net-pci,addr=0x14,netdev=wire1,mac=52:54:00:80:00:02"
        [passthrough]="-device intel-iommu -device pcie-root-port,id=spare,bus=pcie.0,addr=0x10
        -device e1000e,bus=spare,mac=52:54:00:12:34:56 -device qemu-xhci,addr=0x11 -device usb-tablet,serial=tablet1"
        [sriov]="-device intel-iommu -device pcie-root-port,id=spare,bus=pcie.0,addr=0x10 -netdev hubport,hubid=0,id=wire
        -device igb,bus=spare,netdev=wire,mac=52:54:00:12:34:56")
declare -A words=([host]="intel_iommu=on" [passthrough]="intel_iommu=on" [sriov]="intel_iommu=on")
declare -A newer=([sriov]=yes)
[ -e "$inside" ] || { echo "there is no $inside" >&2; exit 2; }
top=$(cd "$here/../.." && pwd)
cache=${VIRTBUS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/virtbus-tests}
timeout_s=${VIRTBUS_VM_TIMEOUT:-1200}
modules=(virtio_pci 9p 9pnet_virtio overlay virtio-rng)

mkdir -p "$cache"
work=$(mktemp -d)
[ -n "$keep" ] || trap 'rm -rf "$work"' EXIT

# Debian's kernel with all its modules; the cloud kernel of guest.sh has no 9p.
kernel_unpack() {
        local tree=$1 name

        name=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
        [ -n "$name" ] || { echo "apt knows no linux-image-amd64: run apt-get update" >&2; return 1; }
        rm -rf "$tree.new"
        mkdir -p "$tree.new"
        (
                cd "$tree.new"
                apt-get -q -o APT::Sandbox::User=root download "$name" > download.log 2>&1 ||
                        { cat download.log >&2; exit 1; }
                dpkg -x "$name"_*.deb x
                rm -f "$name"_*.deb
        )
        depmod -b "$tree.new/x" "$(ls "$tree.new/x/lib/modules")"
        mv "$tree.new" "$tree"
}

# With what they depend on, as far as this host has not got it. The folders are those of a system whose /bin, /lib and
# /sbin are in /usr.
servers_unpack() {
        local tree=$1 folder package
        shift

        rm -rf "$tree.new"
        mkdir -p "$tree.new/archives/partial" "$tree.new/x/usr"
        apt-get -q -y -o APT::Sandbox::User=root -o "Dir::Cache::archives=$tree.new/archives" --no-install-recommends \
                --reinstall --download-only install "$@" > "$tree.new/log" 2>&1 || { cat "$tree.new/log" >&2; return 1; }
        for package in "$tree.new"/archives/*.deb; do
                dpkg -x "$package" "$tree.new/x"
        done
        for folder in bin lib lib64 sbin; do
                [ -d "$tree.new/x/$folder" ] || continue
                cp -a "$tree.new/x/$folder" "$tree.new/x/usr/"
                rm -r "$tree.new/x/$folder"
        done
        rm -r "$tree.new/archives"
        mv "$tree.new" "$tree"
}

# The distribution's backports, from wherever this host has the distribution itself.
newer_unpack() {
        local tree=$1 codename uri package
        local -a options

        codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
        for uri in $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | sort -u); do
                rm -rf "$tree.new"
                mkdir -p "$tree.new/lists/partial" "$tree.new/archives"
                echo "deb $uri $codename-backports main" > "$tree.new/sources"
                options=(-q -o "Dir::Etc::sourcelist=$tree.new/sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::Cache::pkgcache=
                        -o "Dir::State::lists=$tree.new/lists" -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
                (
                        cd "$tree.new/archives"
                        apt-get "${options[@]}" -o APT::Update::Error-Mode=any update
                        apt-get "${options[@]}" download qemu-system-x86 qemu-system-common qemu-system-data
                ) > "$tree.new/log" 2>&1 || continue
                for package in "$tree.new"/archives/*.deb; do
                        dpkg -x "$package" "$tree.new/x"
                done
                rm -r "$tree.new/archives" "$tree.new/lists"
                mv "$tree.new" "$tree"
                return 0
        done
        return 1
}

exec 9> "$cache/lock"
flock 9
[ -d "$cache/kernel-full/x/lib/modules" ] || kernel_unpack "$cache/kernel-full"
unpacked=$cache/servers-$what-$(cksum <<< "${servers[$what]:-}" | cut -d' ' -f1)
[ -z "${servers[$what]:-}" ] || [ -d "$unpacked/x" ] || servers_unpack "$unpacked" ${servers[$what]}
emulator=(qemu-system-x86_64)
if [ -n "${newer[$what]:-}" ]; then
        tree=$cache/qemu-newer
        [ -d "$tree/x" ] || newer_unpack "$tree" || { echo "skipped: no archive here has a newer QEMU"; exit 77; }
        emulator=("$tree/x/usr/bin/qemu-system-x86_64" -L "$tree/x/usr/share/qemu" -L /usr/share/seabios -L /usr/lib/ipxe/qemu)
        ! ldd "${emulator[0]}" | grep 'not found' || { echo "skipped: the newer QEMU lacks libraries"; exit 77; }
        export QEMU_MODULE_DIR=$tree/x/usr/lib/x86_64-linux-gnu/qemu
fi
kernel=$cache/kernel-full/x
version=$(ls "$kernel/lib/modules")

# From the kernel's first process to systemd.
init_write() {
        cat > "$1" << 'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do
        insmod "/modules/$module"
done < /modules/order
options=trans=virtio,version=9p2000.L,msize=262144
mount -t 9p -o "ro,cache=loose,$options" host /lower || exec poweroff -f
mount -t tmpfs upper /upper
mkdir /upper/upper /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/upper,workdir=/upper/work root /newroot || exec poweroff -f
mkdir -p /newroot/share /newroot/lib/modules/$(uname -r)
mount -t 9p -o "$options" share /newroot/share
mount -t 9p -o "ro,cache=loose,$options" modules "/newroot/lib/modules/$(uname -r)"

# Nothing of what the host starts or mounts, and no user or folder of an installation on it.
units=/newroot/etc/systemd/system
rm -rf $units/*.wants $units/virtbusd.service* /newroot/etc/fstab
rm -rf /newroot/etc/virtbus /newroot/var/lib/virtbus /newroot/var/cache/virtbus
for file in passwd group shadow gshadow; do
        sed -i -e '/^virtbus-qemu:/d' -e '/^libvirt:/d' /newroot/etc/$file
done
mkdir -p $units/multi-user.target.wants
ln -sf /lib/systemd/system/multi-user.target $units/default.target
cp -a /newroot/share/tree/. /newroot/
cat > $units/inside.service << 'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /share/inside
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
UNIT
ln -s ../inside.service $units/multi-user.target.wants/
mount -t tmpfs tmp /newroot/tmp
umount /proc /sys
mount --move /dev /newroot/dev
exec switch_root /newroot /lib/systemd/systemd
INIT
        chmod 0755 "$1"
}

initramfs_pack() {
        local root=$work/root path

        mkdir -p "$root"/{bin,dev,proc,sys,modules,lower,upper,newroot}
        cp "$(command -v busybox)" "$root/bin/busybox"
        init_write "$root/init"
        for module in "${modules[@]}"; do
                modprobe -d "$kernel" -S "$version" --show-depends "$module" 2> /dev/null || true
        done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
                cp "$path" "$root/modules/"
                basename "$path" >> "$root/modules/order"
        done
        (cd "$root" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -n -1) > "$work/initramfs"
}

build=$top/build-check-installed
[ -d "$build" ] || meson setup "$build" "$top" -Dprefix=/usr -Dtests=false > "$work/meson.log" ||
        { cat "$work/meson.log"; exit 1; }
ninja -C "$build" > "$work/ninja.log" || { cat "$work/ninja.log"; exit 1; }
mkdir -p "$work/share/tree"
DESTDIR=$work/share/tree meson install -C "$build" --no-rebuild > "$work/install.log"
exec 9>&-
[ -z "${servers[$what]:-}" ] || cp -a "$unpacked/x/." "$work/share/tree/"
cp "$inside" "$work/share/inside"
cp "$here/checks.sh" "$work/share/"
cp -r "$top/tests" "$work/share/" # what the machine sees of the host's file system has no /tmp
initramfs_pack

# One processor: with two, QEMU 7.2 was seen to run code for ever that the kernel had changed meanwhile (a breakpoint of
# text_poke()), and the machine was locked up. check runs two machines side by side instead.
# no_timer_check: on a busy host the kernel gives up on a timer that comes late.
timeout "$timeout_s" "${emulator[@]}" -nodefaults -no-user-config -machine q35 -accel tcg -cpu max \
        -smp 1 -m 1536 -display none -serial stdio -no-reboot -kernel "$kernel/boot/vmlinuz-$version" \
        -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1 no_timer_check apparmor=0 systemd.show_status=no ${words[$what]:-}" \
        ${hardware[$what]:-} \
        -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
        -device virtio-9p-pci,fsdev=host,mount_tag=host \
        -fsdev "local,id=share,path=$work/share,security_model=none" -device virtio-9p-pci,fsdev=share,mount_tag=share \
        -fsdev "local,id=modules,path=$kernel/lib/modules/$version,security_model=none,readonly=on" \
        -device virtio-9p-pci,fsdev=modules,mount_tag=modules -device virtio-rng-pci \
        < /dev/null > "$work/console.log" 2>&1 || true

# The lines are read from the share and not from the console, where the kernel and systemd write as well.
touch "$work/share/result"
cat "$work/share/result"
if [ "$(tail -1 "$work/share/result")" != "all done" ] || grep -q '^not ok' "$work/share/result"; then
        echo "--- the console"
        tail -60 "$work/console.log"
        [ ! -e "$work/share/journal" ] || { echo "--- the journal"; tail -60 "$work/share/journal"; }
        exit 1
fi
