/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each operation is one question to the agent. Answers have the form that the agent's protocol says or are
 * refused; lists in them are bounded, texts are repaired by whoever sends them on. */

#include "drivers/qemu/guest.h"
#include "drivers/network/networks.h"
#include "drivers/qemu/agent.h"
#include "model/cpuset.h"
#include <string.h>

#define ITEMS_MAX 1024 /* file systems, disks of one, processors */

/* virDomainGetHostnameFlags, virDomainSetTimeFlags, virDomainSetUserPasswordFlags. */
enum {
        HOSTNAME_LEASE = 1 << 0,
        HOSTNAME_AGENT = 1 << 1,
        TIME_SYNC = 1 << 0,
        PASSWORD_ENCRYPTED = 1 << 0,
};

static int nonsense(const char *command, Error *error)
{
        return error_set(error, ERROR_OPERATION_FAILED, "The guest's agent answered nonsense to %s",
                         command);
}

static int ask(const Call *call, Domain *domain, const char *command, json_t *arguments, json_t **ret_answer,
               Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *owned = arguments;
        int r = domain_check_active(domain, error);

        return r < 0 ? r
                     : agent_ask(domain, command, TAKE_PTR(owned), call->deadline_usec, ret_answer, error);
}

/* A number of file systems. */
static int ask_count(const Call *call, Domain *domain, const char *command, json_t *arguments,
                     uint32_t *ret_count, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        int r = ask(call, domain, command, arguments, &answer, error);

        if (r < 0)
                return r;
        if (!json_is_integer(answer) || json_integer_value(answer) < 0 ||
            json_integer_value(answer) > INT32_MAX)
                return nonsense(command, error);
        *ret_count = (uint32_t)json_integer_value(answer);
        return 0;
}

int qemu_domain_fs_freeze(Call *call, Domain *domain, const char *const *mountpoints, uint32_t flags,
                          uint32_t *ret_frozen, Error *error)
{
        json_t *names;
        int r = error_check_flags(error, "FSFreeze", flags, 0);

        if (r < 0)
                return r;
        if (!*mountpoints)
                return ask_count(call, domain, "guest-fsfreeze-freeze", NULL, ret_frozen, error);
        names = json_array();
        for (; *mountpoints; mountpoints++)
                json_array_append_new(names, json_string(*mountpoints));
        return ask_count(call, domain, "guest-fsfreeze-freeze-list",
                         json_pack("{s:o}", "mountpoints", names), ret_frozen, error);
}

int qemu_domain_fs_thaw(Call *call, Domain *domain, const char *const *mountpoints, uint32_t flags,
                        uint32_t *ret_thawed, Error *error)
{
        int r = error_check_flags(error, "FSThaw", flags, 0);

        if (r >= 0 && *mountpoints)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The guest's agent lets all file systems go on, not single ones");
        return r < 0 ? r : ask_count(call, domain, "guest-fsfreeze-thaw", NULL, ret_thawed, error);
}

int qemu_domain_fs_trim(Call *call, Domain *domain, const char *mountpoint, uint64_t minimum, uint32_t flags,
                        Error *error)
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        int r = error_check_flags(error, "FSTrim", flags, 0);

        if (r >= 0 && mountpoint)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The guest's agent trims all file systems, not '%s' alone", mountpoint);
        if (r >= 0 && minimum > INT64_MAX)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "No file system has so large a free stretch");
        return r < 0 ? r
                     : ask(call, domain, "guest-fstrim", json_pack("{s:I}", "minimum", (json_int_t)minimum),
                           &answer, error);
}

static bool is_at(const DeviceAddress *address, const json_t *pci)
{
        return address->type == ADDRESS_PCI &&
               address->domain == json_integer_value(json_object_get(pci, "domain")) &&
               address->bus == json_integer_value(json_object_get(pci, "bus")) &&
               address->slot == json_integer_value(json_object_get(pci, "slot")) &&
               address->function == json_integer_value(json_object_get(pci, "function"));
}

static const DomainController *controller_at(const DomainDefinition *definition, const json_t *pci)
{
        LIST_FOREACH (controller, definition->devices.controllers) {
                if (is_at(&controller->info.address, pci))
                        return controller;
        }
        return NULL;
}

/* The target of the disk where the agent saw one; NULL: it is none of ours. */
static const char *disk_at(const DomainDefinition *definition, const json_t *seen)
{
        const json_t *pci = json_object_get(seen, "pci-controller");
        const DomainController *controller = controller_at(definition, pci);

        LIST_FOREACH (disk, definition->devices.disks) {
                const DeviceAddress *address = &disk->info.address;

                if (is_at(address, pci))
                        return disk->target;
                if (controller && address->type == ADDRESS_DRIVE &&
                    address->controller == controller->index &&
                    address->bus == json_integer_value(json_object_get(seen, "bus")) &&
                    address->target == json_integer_value(json_object_get(seen, "target")) &&
                    address->unit == json_integer_value(json_object_get(seen, "unit")))
                        return disk->target;
        }
        return NULL;
}

static bool add_file_system(GVariantBuilder *list, const DomainDefinition *definition, const json_t *seen)
{
        const char *mountpoint = json_string_value(json_object_get(seen, "mountpoint"));
        const char *name = json_string_value(json_object_get(seen, "name"));
        const char *type = json_string_value(json_object_get(seen, "type"));
        const json_t *disks = json_object_get(seen, "disk");
        size_t i;
        json_t *disk;

        if (!mountpoint || !name || !type || json_array_size(disks) > ITEMS_MAX)
                return false;
        g_variant_builder_open(list, G_VARIANT_TYPE("(sssas)"));
        g_variant_builder_add(list, "s", mountpoint);
        g_variant_builder_add(list, "s", name);
        g_variant_builder_add(list, "s", type);
        g_variant_builder_open(list, G_VARIANT_TYPE("as"));
        json_array_foreach(disks, i, disk)
        {
                const char *target = disk_at(definition, disk);

                if (target)
                        g_variant_builder_add(list, "s", target);
        }
        g_variant_builder_close(list);
        g_variant_builder_close(list);
        return true;
}

int qemu_domain_get_fs_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info, Error *error)
{
        static const char command[] = "guest-get-fsinfo";
        _cleanup_(json_decrefp) json_t *answer = NULL;
        GVariantBuilder list;
        size_t i;
        json_t *seen;
        int r = error_check_flags(error, "GetFSInfo", flags, 0);

        if (r >= 0)
                r = ask(call, domain, command, NULL, &answer, error);
        if (r >= 0 && (!json_is_array(answer) || json_array_size(answer) > ITEMS_MAX))
                r = nonsense(command, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&list, G_VARIANT_TYPE("a(sssas)"));
        json_array_foreach(answer, i, seen)
        {
                if (add_file_system(&list, domain_current_definition(domain), seen))
                        continue;
                g_variant_builder_clear(&list);
                return nonsense(command, error);
        }
        *ret_info = g_variant_ref_sink(g_variant_builder_end(&list));
        return 0;
}

/* What the guest called itself when it asked for its address; NULL: nothing is known. */
static char *name_of_lease(GVariant *leases)
{
        for (size_t i = 0; i < g_variant_n_children(leases); i++) {
                const char *name;

                g_variant_get_child(leases, i, "(&sxi&s&s&su&s&s)", NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                    &name, NULL);
                if (*name && strcmp(name, "*") != 0)
                        return g_strdup(name);
        }
        return NULL;
}

static int hostname_by_lease(Call *call, Domain *domain, char **ret_hostname, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = domain_definition_copy(domain->live);

        LIST_FOREACH (interface, live->devices.interfaces) {
                _cleanup_(g_variant_unrefp) GVariant *leases = NULL;
                _cleanup_(object_unrefp) Object *network = NULL;
                int r;

                if (interface->type == INTERFACE_TYPE_NETWORK && interface->source_network)
                        network = object_table_owned(domain->object.driver->objects, OBJECT_NETWORK,
                                                     interface->source_network, domain->object.owner);
                if (!network)
                        continue;
                object_ref(network);
                r = networks_get_dhcp_leases(call, (Network *)network, interface->mac, 0, &leases, error);
                if (r < 0)
                        return r;
                *ret_hostname = name_of_lease(leases);
                if (*ret_hostname)
                        return 0;
        }
        return error_set(error, ERROR_OPERATION_FAILED, "No lease tells the name of the %s",
                         object_describe(&domain->object));
}

int qemu_domain_get_hostname(Call *call, Domain *domain, uint32_t flags, char **ret_hostname, Error *error)
{
        static const char command[] = "guest-get-host-name";
        _cleanup_(json_decrefp) json_t *answer = NULL;
        const char *name;
        int r = error_check_flags(error, "GetHostname", flags, HOSTNAME_LEASE | HOSTNAME_AGENT);

        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        if (flags & HOSTNAME_LEASE || (flags == 0 && !agent_is_there(domain))) {
                if (flags & HOSTNAME_AGENT)
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "Either LEASE (1) or AGENT (2) tells a name");
                return hostname_by_lease(call, domain, ret_hostname, error);
        }
        r = ask(call, domain, command, NULL, &answer, error);
        if (r < 0)
                return r;
        name = json_string_value(json_object_get(answer, "host-name"));
        if (!name || strlen(name) > 255)
                return nonsense(command, error);
        *ret_hostname = g_strdup(name);
        return 0;
}

int qemu_domain_get_time(Call *call, Domain *domain, uint32_t flags, GVariant **ret_time, Error *error)
{
        static const char command[] = "guest-get-time";
        _cleanup_(json_decrefp) json_t *answer = NULL;
        int r = error_check_flags(error, "GetTime", flags, 0);
        json_int_t nanoseconds;

        if (r >= 0)
                r = ask(call, domain, command, NULL, &answer, error);
        if (r >= 0 && (!json_is_integer(answer) || json_integer_value(answer) < 0))
                r = nonsense(command, error);
        if (r < 0)
                return r;
        nanoseconds = json_integer_value(answer);
        *ret_time = g_variant_ref_sink(g_variant_new("(tu)", (guint64)nanoseconds / 1000000000,
                                                     (guint32)(nanoseconds % 1000000000)));
        return 0;
}

int qemu_domain_set_time(Call *call, Domain *domain, uint64_t seconds, uint32_t nanoseconds, uint32_t flags,
                         Error *error)
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        json_t *arguments = NULL;
        int r = error_check_flags(error, "SetTime", flags, TIME_SYNC);

        if (r >= 0 && !(flags & TIME_SYNC) &&
            (nanoseconds >= 1000000000 || seconds > INT64_MAX / 1000000000 - 1))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "A time is seconds since 1970, before the year 2262, and less than 1000000000 "
                              "nanoseconds");
        if (r < 0)
                return r;
        if (!(flags & TIME_SYNC))
                arguments = json_pack("{s:I}", "time", (json_int_t)(seconds * 1000000000 + nanoseconds));
        return ask(call, domain, "guest-set-time", arguments, &answer, error);
}

int qemu_domain_set_user_password(Call *call, Domain *domain, const char *user, const char *password,
                                  uint32_t flags, Error *error)
{
        _cleanup_(freep) char *encoded = NULL;
        _cleanup_(json_decrefp) json_t *answer = NULL;
        int r = error_check_flags(error, "SetUserPassword", flags, PASSWORD_ENCRYPTED);

        if (r >= 0 && !*user)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "The guest's user has no name");
        if (r < 0)
                return r;
        encoded = g_base64_encode((const guchar *)password, strlen(password));
        r = ask(call, domain, "guest-set-user-password",
                json_pack("{s:s, s:s, s:b}", "username", user, "password", encoded, "crypted",
                          flags & PASSWORD_ENCRYPTED ? 1 : 0),
                &answer, error);
        explicit_bzero(encoded, strlen(encoded));
        return r;
}

/* The answer of guest-get-vcpus, with numbers that are numbers. */
static int ask_vcpus(const Call *call, Domain *domain, json_t **ret_vcpus, Error *error) AWAITS
{
        static const char command[] = "guest-get-vcpus";
        size_t i;
        json_t *vcpu;
        int r = ask(call, domain, command, NULL, ret_vcpus, error);

        if (r >= 0 && (!json_is_array(*ret_vcpus) || json_array_size(*ret_vcpus) > ITEMS_MAX))
                return nonsense(command, error);
        json_array_foreach(*ret_vcpus, i, vcpu)
        {
                json_int_t number = json_integer_value(json_object_get(vcpu, "logical-id"));

                if (!json_is_integer(json_object_get(vcpu, "logical-id")) || number < 0 ||
                    number >= ITEMS_MAX)
                        return nonsense(command, error);
        }
        return r;
}

/* "0-3" of those for which the member is true, of all for NULL. */
static char *set_of(const json_t *vcpus, const char *member)
{
        GString *numbers = g_string_new(NULL);
        _cleanup_(freep) char *text = NULL;
        char *canonical;
        size_t i;
        json_t *vcpu;

        json_array_foreach(vcpus, i, vcpu)
        {
                if (!member || json_is_true(json_object_get(vcpu, member)))
                        g_string_append_printf(numbers, "%s%d", numbers->len ? "," : "",
                                               (int)json_integer_value(json_object_get(vcpu, "logical-id")));
        }
        text = g_string_free(numbers, FALSE);
        canonical = *text ? cpuset_canonical(text) : NULL;
        return canonical ? canonical : g_strdup("");
}

static void add_set(GVariantBuilder *sets, const char *key, const json_t *vcpus, const char *member)
{
        g_variant_builder_add(sets, "{sv}", key, g_variant_new_take_string(set_of(vcpus, member)));
}

int qemu_domain_get_guest_vcpus(Call *call, Domain *domain, uint32_t flags, GVariant **ret_vcpus,
                                Error *error)
{
        _cleanup_(json_decrefp) json_t *vcpus = NULL;
        GVariantBuilder sets;
        int r = error_check_flags(error, "GetGuestVcpus", flags, 0);

        if (r >= 0)
                r = ask_vcpus(call, domain, &vcpus, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&sets, G_VARIANT_TYPE_VARDICT);
        add_set(&sets, "vcpus", vcpus, NULL);
        add_set(&sets, "online", vcpus, "online");
        add_set(&sets, "offlinable", vcpus, "can-offline");
        *ret_vcpus = g_variant_ref_sink(g_variant_builder_end(&sets));
        return 0;
}

static const json_t *vcpu_find(const json_t *vcpus, size_t number)
{
        size_t i;
        json_t *vcpu;

        json_array_foreach(vcpus, i, vcpu)
        {
                if ((size_t)json_integer_value(json_object_get(vcpu, "logical-id")) == number)
                        return vcpu;
        }
        return NULL;
}

/* Those that are to be changed; checked before anything is. */
static int choose_vcpus(GVariant *map, bool is_online, const json_t *vcpus, json_t *chosen, Error *error)
{
        size_t n = g_variant_n_children(map);

        for (size_t i = 0; i < n; i++) {
                const json_t *vcpu = vcpu_find(vcpus, i);
                gboolean is_meant;

                g_variant_get_child(map, i, "b", &is_meant);
                if (!is_meant)
                        continue;
                if (!vcpu)
                        return error_set(error, ERROR_INVALID_ARGUMENT, "The guest has no processor %zu", i);
                if (!is_online && !json_is_true(json_object_get(vcpu, "can-offline")))
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "The guest cannot spare its processor %zu", i);
                json_array_append_new(chosen, json_pack("{s:I, s:b}", "logical-id", (json_int_t)i, "online",
                                                        is_online ? 1 : 0));
        }
        return json_array_size(chosen) > 0
                       ? 0
                       : error_set(error, ERROR_INVALID_ARGUMENT, "No processor is chosen");
}

static int set_vcpus(Call *call, Domain *domain, json_t *chosen, Error *error) AWAITS
{
        static const char command[] = "guest-set-vcpus";
        _cleanup_(json_decrefp) json_t *answer = NULL;
        int r = ask(call, domain, command, json_pack("{s:O}", "vcpus", chosen), &answer, error);

        if (r < 0)
                return r;
        if (!json_is_integer(answer))
                return nonsense(command, error);
        if ((size_t)json_integer_value(answer) < json_array_size(chosen))
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The guest's agent changed %d of %zu processors",
                                 (int)json_integer_value(answer), json_array_size(chosen));
        return 0;
}

int qemu_domain_set_guest_vcpus(Call *call, Domain *domain, GVariant *map, int32_t state, uint32_t flags,
                                Error *error)
{
        _cleanup_(json_decrefp) json_t *vcpus = NULL, *chosen = json_array();
        int r = error_check_flags(error, "SetGuestVcpus", flags, 0);

        if (r >= 0 && state != 0 && state != 1)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "A processor is online (1) or offline (0), not %d", state);
        if (r >= 0)
                r = ask_vcpus(call, domain, &vcpus, error);
        if (r >= 0)
                r = choose_vcpus(map, state == 1, vcpus, chosen, error);
        return r < 0 ? r : set_vcpus(call, domain, chosen, error);
}

static uint32_t count_online(const json_t *vcpus)
{
        uint32_t count = 0;
        const json_t *vcpu;
        size_t i;

        json_array_foreach(vcpus, i, vcpu) count += json_is_true(json_object_get(vcpu, "online"));
        return count;
}

int guest_count_vcpus(Call *call, Domain *domain, uint32_t *ret_count, Error *error)
{
        _cleanup_(json_decrefp) json_t *vcpus = NULL;
        int r = ask_vcpus(call, domain, &vcpus, error);

        if (r >= 0)
                *ret_count = count_online(vcpus);
        return r;
}

int guest_use_vcpus(Call *call, Domain *domain, uint32_t count, Error *error)
{
        _cleanup_(json_decrefp) json_t *vcpus = NULL, *chosen = json_array();
        uint32_t n_online;
        json_t *vcpu;
        int r = ask_vcpus(call, domain, &vcpus, error);

        if (r < 0)
                return r;
        n_online = count_online(vcpus);
        for (size_t i = 0; i < json_array_size(vcpus);
             i++) { /* what comes is the first, what goes the last */
                bool comes = n_online < count, is_online;

                vcpu = json_array_get(vcpus, comes ? i : json_array_size(vcpus) - 1 - i);
                is_online = json_is_true(json_object_get(vcpu, "online"));
                if (n_online == count || is_online == comes ||
                    (!comes && !json_is_true(json_object_get(vcpu, "can-offline"))))
                        continue;
                json_array_append_new(chosen,
                                      json_pack("{s:O, s:b}", "logical-id",
                                                json_object_get(vcpu, "logical-id"), "online", comes));
                n_online += comes ? 1 : -1;
        }
        if (n_online != count)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The guest has not so many processors, or cannot spare so many: it would "
                                 "use %u",
                                 n_online);
        return json_array_size(chosen) == 0 ? 0 : set_vcpus(call, domain, chosen, error);
}
