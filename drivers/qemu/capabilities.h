/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one QEMU binary can do, as it said itself (probe.h). Never changes once made; whoever holds one
 * across an await keeps a reference. Who keeps them is cache.h. */

#include "core/error.h"
#include "drivers/cpu/features.h"
#include <jansson.h>

typedef struct QemuMachine {
        char *name, *alias; /* "pc-q35-7.2", "q35"; the alias may be NULL */
        char *default_cpu;  /* "qemu64" */
        uint32_t vcpus_max;
        bool is_default, is_deprecated, can_plug_cpus;
} QemuMachine;

typedef struct QemuCpuModel {
        char *name;
        char **missing; /* features that this host cannot give; NULL: QEMU does not tell; empty: it runs here
                         */
        bool is_deprecated;
} QemuCpuModel;

typedef struct QemuCapabilities {
        unsigned n_references;
        char *binary, *arch;                         /* as definitions name it: "x86_64", "i686" */
        char *package;                               /* "Debian 1:7.2+dfsg-7": may be NULL */
        uint64_t version;                            /* major * 1000000 + minor * 1000 + micro */
        bool has_kvm;                                /* it could use KVM when it was probed */
        GPtrArray *machines;                         /* of QemuMachine * */
        GPtrArray *kvm_cpus, *tcg_cpus;              /* of QemuCpuModel * */
        CpuProcessor *kvm_processor, *tcg_processor; /* all that it can give to a guest; NULL: not known */
        GHashTable *types, *commands, *options;      /* sets of strings in `strings` */
        GStringChunk *strings;
} QemuCapabilities;

/* From the document that probe_run() makes. Runs on any thread. ERROR_OPERATION_FAILED if it is none. */
int capabilities_new(const char *binary, json_t *document, QemuCapabilities **ret_capabilities,
                     Error *error);
QemuCapabilities *capabilities_ref(QemuCapabilities *capabilities);
QemuCapabilities *capabilities_unref(QemuCapabilities *capabilities);
DEFINE_CLEANUP(QemuCapabilities, capabilities_unref)

/* By name or alias; NULL if there is none. */
const QemuMachine *capabilities_find_machine(const QemuCapabilities *capabilities, const char *name);
/* What a definition without machine type gets; NULL for a binary without default. */
const QemuMachine *capabilities_default_machine(const QemuCapabilities *capabilities);
const QemuCpuModel *capabilities_find_cpu(const QemuCapabilities *capabilities, bool with_kvm,
                                          const char *name);
/* What guests can have at most. ERROR_NOT_SUPPORTED if the binary did not tell, or is not for x86. */
int capabilities_processor(const QemuCapabilities *capabilities, bool with_kvm,
                           const CpuProcessor **ret_processor, Error *error);
/* A device, a backend or another type of QEMU's object model: "virtio-net-pci", "memory-backend-memfd". */
bool capabilities_has_type(const QemuCapabilities *capabilities, const char *type);
bool capabilities_has_command(const QemuCapabilities *capabilities, const char *command);
/* ("sandbox", "spawn"); a NULL parameter asks for the option as such. */
bool capabilities_has_option(const QemuCapabilities *capabilities, const char *option,
                             const char *parameter);

/* "i386" -> "i686": QEMU's name of an architecture as definitions write it, and back. */
const char *arch_from_qemu(const char *arch);
const char *arch_to_qemu(const char *arch);
