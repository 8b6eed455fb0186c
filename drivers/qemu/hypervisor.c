/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From what a caller says about a hypervisor to what is known of it. */

#include "drivers/qemu/hypervisor.h"
#include <string.h>
#include <sys/utsname.h>

void hypervisor_clear(Hypervisor *hypervisor)
{
        hypervisor->capabilities = capabilities_unref(hypervisor->capabilities);
}

static int choose_type(const HypervisorName *name, Hypervisor *hypervisor, Error *error)
{
        bool has_kvm = hypervisor->capabilities->has_kvm;

        if (!name->virttype) {
                hypervisor->with_kvm = has_kvm;
                return 0;
        }
        hypervisor->with_kvm = strcmp(name->virttype, "kvm") == 0;
        if (!hypervisor->with_kvm && strcmp(name->virttype, "qemu") != 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The QEMU driver has the virtualization types kvm and qemu, not '%s'",
                                 name->virttype);
        if (hypervisor->with_kvm && !has_kvm)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "%s cannot use KVM on this host",
                                 hypervisor->capabilities->binary);
        return 0;
}

static int choose_machine(const HypervisorName *name, Hypervisor *hypervisor, Error *error)
{
        const QemuCapabilities *capabilities = hypervisor->capabilities;

        hypervisor->machine = name->machine ? capabilities_find_machine(capabilities, name->machine)
                                            : capabilities_default_machine(capabilities);
        if (hypervisor->machine)
                return 0;
        return name->machine ? error_set(error, ERROR_INVALID_ARGUMENT, "%s has no machine type '%s'",
                                         capabilities->binary, name->machine)
                             : error_set(error, ERROR_INVALID_ARGUMENT,
                                         "%s has no machine type of its own choice: one must be named",
                                         capabilities->binary);
}

/* A 64-bit PC runs 32-bit guests too. */
static int choose_arch(const HypervisorName *name, Hypervisor *hypervisor, Error *error)
{
        const char *own = hypervisor->capabilities->arch;

        hypervisor->arch = own;
        if (!name->arch || strcmp(name->arch, own) == 0)
                return 0;
        if (strcmp(own, "x86_64") == 0 && strcmp(name->arch, "i686") == 0) {
                hypervisor->arch = "i686";
                return 0;
        }
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s emulates the architecture %s, not '%s'",
                         hypervisor->capabilities->binary, own, name->arch);
}

int hypervisor_find(Call *call, const HypervisorName *name, Hypervisor *ret_hypervisor, Error *error)
{
        CapabilitiesCache *cache = qemu_driver(call->driver)->capabilities;
        Hypervisor hypervisor = {};
        _cleanup_(freep) char *binary = NULL;
        struct utsname host;
        int r;

        (void)uname(&host); /* cannot fail */
        binary = name->emulator ? g_strdup(name->emulator)
                                : capabilities_binary_for(cache, name->arch ? name->arch
                                                                            : arch_from_qemu(host.machine));
        r = capabilities_wait(cache, binary, call->owner, call->deadline_usec, &hypervisor.capabilities,
                              error);
        if (r >= 0)
                r = choose_arch(name, &hypervisor, error);
        if (r >= 0)
                r = choose_type(name, &hypervisor, error);
        if (r >= 0)
                r = choose_machine(name, &hypervisor, error);
        if (r < 0) {
                hypervisor_clear(&hypervisor);
                return r;
        }
        *ret_hypervisor = hypervisor;
        return 0;
}
