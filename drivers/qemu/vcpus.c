/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* QEMU has places for all processors that a machine can have, in an order of its own; those from the first
 * on are there. What is plugged in is called "vcpu" and the number of its place, and can be taken out again;
 * what the machine has booted with cannot. The guest may take its time, or refuse. */

#include "drivers/qemu/vcpus.h"
#include "core/log.h"
#include "drivers/qemu/guest.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/limits.h"
#include "drivers/qemu/status.h"
#include <string.h>

#define PREFIX      "vcpu"
#define PERIPHERALS "/machine/peripheral/"
/* As long as devices are waited for (detach.c). */
#define LET_GO_USEC (5 * G_USEC_PER_SEC)

/* virDomainVcpuFlags, beside those of impact.h. */
enum {
        MAXIMUM = 1 << 2,
        BY_GUEST = 1 << 3,
        HOTPLUGGABLE = 1 << 4,
};

/* By the place: socket, die, core, thread. */
static int compare(const void *a, const void *b)
{
        static const char *const keys[] = { "socket-id", "die-id", "core-id", "thread-id" };
        const json_t *first = json_object_get(*(json_t *const *)a, "props"),
                     *second = json_object_get(*(json_t *const *)b, "props");

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                json_int_t x = json_integer_value(json_object_get(first, keys[i])),
                           y = json_integer_value(json_object_get(second, keys[i]));

                if (x != y)
                        return x < y ? -1 : 1;
        }
        return 0;
}

/* The places of all processors, sorted, borrowed of *ret_answer. */
static int find_places(const Domain *domain, uint64_t deadline_usec, json_t **ret_answer,
                       GPtrArray **ret_places, Error *error) AWAITS
{
        json_t *answer = NULL, *place;
        GPtrArray *places;
        size_t i;
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = qmp_call(machine_of(domain)->qmp, "query-hotpluggable-cpus", NULL, deadline_usec,
                             &answer, error);
        if (r < 0)
                return r;
        places = g_ptr_array_new();
        json_array_foreach(answer, i, place) g_ptr_array_add(places, place);
        g_ptr_array_sort(places, compare);
        *ret_answer = answer;
        *ret_places = places;
        return 0;
}

static const char *path_of(const json_t *place)
{
        return json_string_value(json_object_get(place, "qom-path"));
}

static uint32_t count(const GPtrArray *places)
{
        uint32_t n = 0;

        for (unsigned i = 0; i < places->len; i++)
                n += path_of(places->pdata[i]) != NULL;
        return n;
}

static void set_count(Domain *domain, uint32_t n)
{
        DomainDefinition *live = domain->live;

        if (!live || live->current_vcpus == n || n == 0 || n > live->vcpus)
                return;
        live->current_vcpus = n;
        LIST_FOREACH (vcpu, live->vcpu_list)
                vcpu->enabled = vcpu->id < n ? YES : NO;
        object_changed(&domain->object, "VCPUs");
        status_save_soon(domain);
}

bool vcpus_removed(Domain *domain, const char *alias)
{
        const char *number = alias + strlen(PREFIX);

        if (!domain->live || !g_str_has_prefix(alias, PREFIX) || !*number ||
            number[strspn(number, "0123456789")])
                return false;
        set_count(domain, domain->live->current_vcpus - 1);
        condition_wake_all(&machine_of(domain)->changed);
        return true;
}

static int plug_in(Domain *domain, const json_t *place, unsigned id, uint64_t deadline_usec,
                   Error *error) AWAITS
{
        _cleanup_(freep) char *name = g_strdup_printf(PREFIX "%u", id);
        const char *type = json_string_value(json_object_get(place, "type"));
        json_t *arguments = json_pack("{s:s, s:s}", "driver", type ? type : "", "id", name);
        int r = machine_check_monitor(domain, error);

        (void)json_object_update(arguments, json_object_get(place, "props")); /* both are objects */
        if (r < 0) {
                json_decref(arguments);
                return r;
        }
        r = qmp_call(machine_of(domain)->qmp, "device_add", arguments, deadline_usec, NULL, error);
        if (r < 0)
                return r;
        if (!domain->live)
                return domain_check_active(domain, error);
        set_count(domain, domain->live->current_vcpus + 1);
        return limits_set_processor(domain, id, deadline_usec, error);
}

static int ask_for(Domain *domain, const json_t *place, uint64_t deadline_usec, Error *error) AWAITS
{
        int r = machine_check_monitor(domain, error);

        return r < 0 ? r
                     : qmp_call(machine_of(domain)->qmp, "device_del",
                                json_pack("{s:s}", "id", path_of(place) + strlen(PERIPHERALS)),
                                deadline_usec, NULL, error);
}

/* QEMU 7.2 frees what the processors of its emulation use while it still uses it, and dies of it later. */
static int check_removable(const Domain *domain, const GPtrArray *places, uint32_t n, Error *error)
{
        if (domain->live->type != DOMAIN_TYPE_KVM)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The %s is emulated (type '%s'): QEMU takes processors out with KVM only, "
                                 "without it the machine would crash",
                                 object_describe(&domain->object),
                                 domain_type_to_string(domain->live->type));
        for (unsigned i = n; i < places->len; i++)
                if (path_of(places->pdata[i]) && !g_str_has_prefix(path_of(places->pdata[i]), PERIPHERALS))
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "The %s has booted with processor %u: only those that were plugged "
                                         "in later can be taken out",
                                         object_describe(&domain->object), i);
        return 0;
}

/* QEMU is asked once more: its word may have been missed. */
static int look(Domain *domain, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *places = NULL;
        int r = find_places(domain, deadline_after_usec(QMP_TIMEOUT_USEC), &answer, &places, error);

        if (r >= 0)
                set_count(domain, count(places));
        return r < 0 ? r : domain_check_active(domain, error);
}

static int wait_for_guest(Domain *domain, uint32_t n, uint64_t deadline_usec, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        uint64_t run = machine->run;
        int r = 0;

        while (machine->run == run && domain->live && domain->live->current_vcpus > n && r != -ETIMEDOUT) {
                r = condition_wait(&machine->changed, deadline_usec);
                if (r == -ECANCELED)
                        return error_set(error, ERROR_CANCELLED, "Waiting for the guest was cancelled");
        }
        r = r == -ETIMEDOUT ? look(domain, error) : domain_check_active(domain, error);
        if (r >= 0 && domain->live->current_vcpus > n)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The guest of the %s has not let go of %u of its processors: they may go "
                                 "later",
                                 object_describe(&domain->object), domain->live->current_vcpus - n);
        return r;
}

static int change_live(Call *call, Domain *domain, uint32_t n, Error *error) AWAITS
{
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)),
                 run = machine_of(domain)->run;
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *places = NULL;
        uint32_t old;
        int r = find_places(domain, deadline_usec, &answer, &places, error);

        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        if (places->len != domain->live->vcpus)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "QEMU plugs in %u groups of processors of this machine, not its %u "
                                 "processors one by one",
                                 places->len, domain->live->vcpus);
        old = count(places);
        set_count(domain, old);
        r = n < old ? check_removable(domain, places, n, error) : 0;
        for (unsigned i = old; r >= 0 && i < n; i++)
                r = plug_in(domain, places->pdata[i], i, deadline_usec, error);
        for (unsigned i = old; r >= 0 && i > n; i--)
                r = ask_for(domain, places->pdata[i - 1], deadline_usec, error);
        if (r >= 0 && n < old)
                r = wait_for_guest(domain, n, MIN(call->deadline_usec, deadline_after_usec(LET_GO_USEC)),
                                   error);
        if (r >= 0 && machine_of(domain)->run != run)
                r = error_set(error, ERROR_OPERATION_FAILED, "The %s ended",
                              object_describe(&domain->object));
        return r < 0 ? r : status_save(domain, error);
}

void vcpus_recover(Domain *domain)
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *places = NULL;
        _cleanup_(error_clear) Error error = {};

        if (!domain->live || domain->live->vcpus == 1)
                return;
        if (find_places(domain, deadline_after_usec(QMP_TIMEOUT_USEC), &answer, &places, &error) < 0)
                log_debug(domain->object.path, "QEMU does not list its processors: %s", error.message);
        else if (domain->live && places->len == domain->live->vcpus)
                set_count(domain, count(places));
}

int qemu_domain_get_vcpus(Call *call, Domain *domain, uint32_t flags, uint32_t *ret_vcpus, Error *error)
{
        const DomainDefinition *definition;
        int r = impact_choose(domain, "GetVcpus", MAXIMUM | BY_GUEST, &flags, error);

        if (r >= 0 && flags & BY_GUEST && flags & (MAXIMUM | AFFECT_CONFIG))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The guest knows what it uses now: GUEST (8) is without MAXIMUM (4) and "
                              "AFFECT_CONFIG (2)");
        if (r < 0 || flags & BY_GUEST)
                return r < 0 ? r : guest_count_vcpus(call, domain, ret_vcpus, error);
        definition = impact_definition(domain, flags);
        *ret_vcpus = flags & MAXIMUM ? definition->vcpus : definition->current_vcpus;
        return 0;
}

static int check(const Domain *domain, const DomainDefinition *definition, uint32_t vcpus, uint32_t flags,
                 Error *error)
{
        if (vcpus > 0 && (flags & MAXIMUM || vcpus <= definition->vcpus))
                return 0;
        return error_set(error, ERROR_INVALID_ARGUMENT, "The %s can have 1 to %u processors, not %u",
                         object_describe(&domain->object), definition->vcpus, vcpus);
}

static DomainDefinition *change_kept(const Domain *domain, uint32_t vcpus, bool is_maximum)
{
        DomainDefinition *changed = domain_definition_copy(domain->definition);

        if (is_maximum)
                changed->vcpus = vcpus;
        if (!is_maximum || changed->current_vcpus > vcpus)
                changed->current_vcpus = vcpus;
        if (changed->vcpu_list.count <= changed->vcpus) /* else it is refused, as one that is written so */
                LIST_FOREACH (vcpu, changed->vcpu_list)
                        vcpu->enabled = vcpu->id < changed->current_vcpus ? YES : NO;
        return changed;
}

int qemu_domain_set_vcpus(Call *call, Domain *domain, uint32_t vcpus, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        int r = impact_choose(domain, "SetVcpus", MAXIMUM | BY_GUEST | HOTPLUGGABLE, &flags, error);

        if (r >= 0 && flags & HOTPLUGGABLE && flags & AFFECT_CONFIG)
                r = error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "The QEMU driver boots machines with processors that stay: HOTPLUGGABLE (16) is "
                        "true of those that are plugged in while a machine runs, and of no others");
        if (r >= 0 && flags & BY_GUEST && flags & (MAXIMUM | AFFECT_CONFIG))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The guest changes what it uses now: GUEST (8) is without MAXIMUM (4) and "
                              "AFFECT_CONFIG (2)");
        if (r >= 0 && flags & MAXIMUM && flags & AFFECT_LIVE)
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "The most processors of a running machine cannot be changed: 2 changes the "
                              "definition of the %s",
                              object_describe(&domain->object));
        if (r >= 0 && flags & AFFECT_LIVE)
                r = check(domain, domain->live, vcpus, flags, error);
        if (r >= 0 && flags & BY_GUEST)
                return guest_use_vcpus(call, domain, vcpus, error);
        if (r >= 0 && flags & AFFECT_CONFIG) {
                r = check(domain, domain->definition, vcpus, flags, error);
                changed = r < 0 ? NULL : change_kept(domain, vcpus, flags & MAXIMUM);
                if (r >= 0)
                        r = impact_begin(domain, changed, error);
        }
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = change_live(call, domain, vcpus, error);
        return changed ? impact_end(domain, &changed, r) : r;
}
