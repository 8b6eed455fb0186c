/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What makes a machine and its network cards different from all others: random numbers, in the form of UUIDs
 * and of MAC addresses in the range that KVM guests use. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "model/board.h"
#include "model/complete.h"
#include "model/identity.h"

static void random_from_kernel(uint8_t *bytes, size_t size)
{
        assert(size <= 256); /* so much comes at once or not at all */
        while (getrandom(bytes, size, 0) < 0)
                assert(errno == EINTR);
}

/* A global because the contract lets tests replace it for all definitions. */
static DomainRandom random_source = random_from_kernel;

void domain_definition_set_random(DomainRandom random)
{
        random_source = random ? random : random_from_kernel;
}

void identity_make_uuid(char ret_uuid[static UUID_STRING_MAX])
{
        uint8_t bytes[16];
        char *end = ret_uuid;

        random_source(bytes, sizeof(bytes));
        bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4: random */
        bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* the variant of RFC 4122 */
        for (unsigned i = 0; i < sizeof(bytes); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        *end++ = '-';
                end += snprintf(end, 3, "%02x", bytes[i]);
        }
}

static void make_mac(bool is_xen, char ret_mac[static IDENTITY_MAC_MAX])
{
        static const uint8_t kvm[3] = { 0x52, 0x54, 0x00 }, xen[3] = { 0x00, 0x16, 0x3e };
        const uint8_t *prefix = is_xen ? xen : kvm;
        uint8_t bytes[3];

        random_source(bytes, sizeof(bytes));
        (void)snprintf(ret_mac, IDENTITY_MAC_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", prefix[0], prefix[1],
                       prefix[2], bytes[0], bytes[1], bytes[2]); /* always fits */
}

void identity_make_mac(char ret_mac[static IDENTITY_MAC_MAX])
{
        make_mac(false, ret_mac);
}

/* The name under which a switch knows the port. */
static void complete_virtualport(Virtualport *port)
{
        if (port->type == VIRTUALPORT_8021QBG && port->instanceid[0] == '\0')
                identity_make_uuid(port->instanceid);
        if (port->type == VIRTUALPORT_OPENVSWITCH && port->interfaceid[0] == '\0')
                identity_make_uuid(port->interfaceid);
}

int complete_identity(DomainDefinition *definition, Error *error _unused_)
{
        if (definition->uuid[0] == '\0')
                identity_make_uuid(definition->uuid);
        LIST_FOREACH (interface, definition->devices.interfaces) {
                if (interface->mac[0] == '\0')
                        make_mac(definition->type == DOMAIN_TYPE_XEN, interface->mac);
                if (interface->virtualport)
                        complete_virtualport(interface->virtualport);
        }
        return 0;
}
