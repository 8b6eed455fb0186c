/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a port's text holds in memory is what the kernel has: it changes when nft has said yes. A daemon that
 * was killed in between finds by the version's name that the two differ, and sets it right. */

#include "drivers/nwfilter/ports.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/network/host-lock.h"
#include "drivers/network/nft.h"
#include "drivers/nwfilter/state.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

static GPtrArray *ports_of(struct FilterState *state)
{
        if (!state->ports)
                state->ports = g_ptr_array_new_with_free_func(port_release);
        return state->ports;
}

static GPtrArray *users_of(struct FilterState *state, const char *name, uid_t owner)
{
        GPtrArray *users = g_ptr_array_new_with_free_func(object_release);

        for (unsigned i = 0; i < ports_of(state)->len; i++) {
                const FilterPort *port = state->ports->pdata[i];

                if (port->machine->owner == owner && g_hash_table_contains(port->parts, name) &&
                    !g_ptr_array_find(users, port->machine, NULL))
                        g_ptr_array_add(users, object_ref(port->machine));
        }
        return users;
}

/* The filters of these names show who uses them. */
static void show(struct FilterState *state, uid_t owner, GHashTable *names)
{
        GHashTableIter at;
        void *name;

        g_hash_table_iter_init(&at, names);
        while (g_hash_table_iter_next(&at, &name, NULL)) {
                Object *filter = object_table_owned(state->driver->objects, OBJECT_NWFILTER, name, owner);

                if (filter)
                        nwfilter_set_users((NWFilter *)filter, users_of(state, name, owner));
        }
}

/* Asked once, for no module comes or goes by itself later. */
static void learn_kernel(struct FilterState *state) AWAITS
{
        /* nft wants the ends of lines: on one line this would be a mistake whatever the kernel can do. */
        static const char conntrack[] =
                "table bridge virtbus-test {\nchain c {\nct state new accept\n}\n}\n";
        static const char reject[] = "table bridge virtbus-test {\nchain c {\ntype filter hook prerouting "
                                     "priority 0;\nreject\n}\n}\n";

        if (state->knows_kernel)
                return;
        state->kernel.has_conntrack = nft_would_apply(conntrack);
        state->kernel.has_reject = nft_would_apply(reject);
        state->knows_kernel = true;
}

/* RUN/nwfilter is there as long as the kernel may have something of ours: both are gone with the host's
 * boot.
 */
static char *mark_path(const struct FilterState *state)
{
        return g_build_filename(state->driver->config->run_dir, "nwfilter", NULL);
}

static int mark(struct FilterState *state, Error *error)
{
        _cleanup_(freep) char *path = mark_path(state);
        _cleanup_(closep) int fd = -EBADF;

        if (state->is_marked)
                return 0;
        fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(error, errno, "Cannot make the file %s", path);
        state->is_marked = true;
        return 0;
}

/* The table may have been flushed by somebody: its own chains are set again with every change. */
static int apply(struct FilterState *state, const char *text, Error *error) AWAITS
{
        _cleanup_(freep) char *whole = g_strconcat(state->is_table_lost ? translate_table_removal() : "",
                                                   translate_table(), text, NULL);
        int r = mark(state, error);

        /* One that sleeps is woken first: the kernel does not do that together with the rest. */
        if (r >= 0 && state->is_table_lost)
                r = nft_apply("add table " FILTER_TABLE "\n", error);
        if (r >= 0)
                r = nft_apply(whole, error);
        if (r >= 0)
                state->is_table_lost = false;
        return r;
}

static const AppliedPort *find_applied(const GPtrArray *applied, unsigned device)
{
        for (unsigned i = 0; i < applied->len; i++) {
                const AppliedPort *port = applied->pdata[i];

                if (port->device == device)
                        return port;
        }
        return NULL;
}

static int tell(FilterPort *port, Error *error) AWAITS
{
        struct FilterState *state = port->state;
        _cleanup_(freep) char *addresses = NULL, *text = NULL;
        int r = filter_lock(state, DEADLINE_NEVER, error);

        if (r < 0)
                return r;
        port->is_told = false;
        if (!port->is_gone && port->text.uses_learnt) {
                addresses = port_addresses_text(port, true);
                text = g_strdup_printf("flush set " FILTER_TABLE " ip/%u\n%s", port->device, addresses);
                r = nft_apply(text, error);
        }
        filter_unlock(state);
        return r;
}

static void tell_fiber(void *data)
{
        _cleanup_(port_unrefp) FilterPort *port = data;
        _cleanup_(error_clear) Error error = {};

        if (tell(port, &error) < 0)
                log_warning(port->machine->path, "what was learnt of device %s cannot be told: %s",
                            port->name, error.message);
}

static void address_found(const char *address, uint32_t seconds, bool replaces, void *data)
{
        FilterPort *port = data;

        port_add_address(port, address, seconds, replaces);
        log_debug(port->machine->path, "device %s has the address %s", port->name, address);
        if (port->is_told)
                return;
        port->is_told = true;
        if (fiber_start("filter-learnt", tell_fiber, port_ref(port)) < 0) {
                port->is_told = false;
                port_unref(port);
        }
}

static int learn(FilterPort *port, Error *error)
{
        if (!port->text.uses_learnt || port->learner)
                return 0;
        return learner_new(port->device, port->mac, port->mode,
                           g_hash_table_lookup(port->variables, "DHCPSERVER"), port->addresses->len > 0,
                           address_found, port, &port->learner, error);
}

static int make(Driver *driver, const FilterPortOptions *options, FilterPort **ret_port, Error *error)
{
        unsigned device = if_nametoindex(options->device);
        FilterPort *port;
        int r;

        if (device == 0)
                return error_set(error, ERROR_OPERATION_FAILED, "The host has no device '%s' to filter",
                                 options->device);
        port = port_new(driver->filters, device, options->device, options->mac, options->reference->filter,
                        options->machine);
        r = port_set_variables(port, options->reference, error);
        if (r < 0)
                port_unref(port);
        else
                *ret_port = port;
        return r;
}

static void add_leases(FilterPort *port, const GPtrArray *leases)
{
        int64_t now = g_get_real_time() / G_USEC_PER_SEC;

        for (unsigned i = 0; leases && i < leases->len; i++) {
                const NetworkLease *lease = leases->pdata[i];
                int64_t seconds = lease->expiry == 0 ? 0 : lease->expiry - now;

                if (!lease->is_ipv6 && seconds >= 0)
                        port_add_address(port, lease->address, (uint32_t)MIN(seconds, UINT32_MAX),
                                         port->mode == LEARN_ANY);
        }
}

/* The device of that name, with what it is filtered by now; NULL: by nothing. Borrowed. */
static FilterPort *find_port(struct FilterState *state, const Object *machine, const char *name)
{
        for (unsigned i = 0; i < ports_of(state)->len; i++) {
                FilterPort *port = state->ports->pdata[i];

                if (port->machine == machine && strcmp(port->name, name) == 0)
                        return port;
        }
        return NULL;
}

static void drop_port(FilterPort *port)
{
        struct FilterState *state = port->state;

        port->is_gone = true;
        port->learner = learner_free(port->learner);
        port_ref(port);
        (void)g_ptr_array_remove(state->ports, port); /* it is in it */
        show(state, port->machine->owner, port->parts);
        port_unref(port);
}

static int open_port(FilterPort *port, Error *error) AWAITS
{
        _cleanup_(freep) char *text = NULL, *addresses = NULL, *removal = NULL;
        FilterPort *old;
        FilterText filter = {};
        int r;

        learn_kernel(port->state);
        r = port_translate(port, NULL, &filter, error);
        if (r < 0)
                return r;
        old = find_port(port->state, port->machine, port->name);
        addresses = port_addresses_text(port, filter.uses_learnt);
        removal = old && old->text.objects ? translate_removal(old->text.objects) : g_strdup("");
        text = g_strconcat(removal, filter.text, addresses, NULL);
        r = apply(port->state, text, error);
        if (r < 0) {
                filter_text_clear(&filter);
                return r;
        }
        old = find_port(port->state, port->machine, port->name);
        if (old)
                drop_port(old);
        port_set_text(port, NULL, &filter);
        g_ptr_array_add(ports_of(port->state), port_ref(port));
        show(port->state, port->machine->owner, port->parts);
        return learn(port, error);
}

int filter_port_open(Driver *driver, const FilterPortOptions *options, Error *error)
{
        struct FilterState *state = driver->filters;
        _cleanup_(port_unrefp) FilterPort *port = NULL;
        int r = host_lock_claim(driver->config, error);

        if (r >= 0)
                r = make(driver, options, &port, error);
        if (r < 0)
                return r;
        add_leases(port, options->leases);
        r = filter_lock(state, DEADLINE_NEVER, error);
        if (r < 0)
                return r;
        r = open_port(port, error);
        filter_unlock(state);
        if (r < 0)
                error_prefix(error, "Cannot filter the device '%s'", options->device);
        return r;
}

int filter_port_resume(Driver *driver, const FilterPortOptions *options, Error *error)
{
        FilterPort *port = NULL;
        int r = make(driver, options, &port, error);

        if (r >= 0)
                g_ptr_array_add(ports_of(driver->filters), port);
        return r;
}

/* What must be done for the port; `keeps` is told of devices whose chains stay. */
static int resume(FilterPort *port, const GPtrArray *applied, GHashTable *keeps, GString *text, Error *error)
{
        const AppliedPort *old = find_applied(applied, port->device);
        _cleanup_(freep) char *addresses = NULL;
        FilterText filter = {};
        int r = port_translate(port, NULL, &filter, error);

        if (r < 0) {
                g_hash_table_add(keeps, GUINT_TO_POINTER(port->device)); /* better the old than none */
                filter.objects = g_ptr_array_new_with_free_func(g_free);
                for (unsigned i = 0; old && i < old->objects->len; i++)
                        g_ptr_array_add(filter.objects, g_strdup(old->objects->pdata[i]));
                port_set_text(port, NULL, &filter);
                show(port->state, port->machine->owner, port->parts);
                return r;
        }
        if (old && !port->is_lost && g_strcmp0(old->version, filter.version) == 0) {
                g_hash_table_add(keeps, GUINT_TO_POINTER(port->device));
        } else {
                addresses = port_addresses_text(port, filter.uses_learnt);
                g_string_append_printf(text, "%s%s", filter.text, addresses);
        }
        port_set_text(port, NULL, &filter);
        show(port->state, port->machine->owner, port->parts);
        return learn(port, error);
}

/* A machine may end while the kernel is asked; then its ports are in the list no more. */
static void read_addresses(struct FilterState *state, const GPtrArray *applied) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *ports = ports_copy(state);

        for (unsigned i = 0; i < ports->len; i++) {
                FilterPort *port = ports->pdata[i];
                const AppliedPort *old = find_applied(applied, port->device);

                if (old && old->has_addresses && !port->is_gone)
                        (void)applied_read_addresses(port, NULL); /* they are learnt again */
        }
}

static void resume_all(struct FilterState *state, const GPtrArray *applied, GHashTable *keeps, GString *text)
{
        for (unsigned i = 0; i < ports_of(state)->len; i++) {
                FilterPort *port = state->ports->pdata[i];
                _cleanup_(error_clear) Error error = {};

                if (resume(port, applied, keeps, text, &error) < 0)
                        log_error(port->machine->path,
                                  "the filter of device %s stays as it is, for it cannot be made anew: %s",
                                  port->name, error.message);
        }
}

/* Elements that somebody has removed cannot be deleted, and those that somebody has changed cannot be added:
 * all go, and those of devices that stay as they are come again. */
static void add_elements(const struct FilterState *state, GHashTable *keeps, GString *text)
{
        for (const char *const *map = translate_maps; *map; map++)
                g_string_append_printf(text, "flush map " FILTER_TABLE " %s\n", *map);
        for (unsigned i = 0; i < state->ports->len; i++) {
                const FilterPort *port = state->ports->pdata[i];

                if (!g_hash_table_contains(keeps, GUINT_TO_POINTER(port->device)))
                        continue;
                for (unsigned j = 0; j < port->text.objects->len; j++) {
                        _cleanup_(strvp) char **words = g_strsplit(port->text.objects->pdata[j], " ", 5);

                        if (strcmp(words[0], "element") == 0)
                                g_string_append_printf(
                                        text, "add element " FILTER_TABLE " %s { %u : jump %s/%u }\n",
                                        words[3], port->device, words[3], port->device);
                }
        }
}

static void add_removal(const AppliedPort *port, GPtrArray *gone)
{
        for (unsigned i = 0; i < port->objects->len; i++)
                if (!g_str_has_prefix(port->objects->pdata[i], "element "))
                        g_ptr_array_add(gone, port->objects->pdata[i]);
}

static int take_back(struct FilterState *state, bool is_lost, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *applied = NULL, *gone = g_ptr_array_new();
        _cleanup_(g_hash_table_unrefp) GHashTable *keeps = g_hash_table_new(NULL, NULL);
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL), *elements = g_string_new(NULL);
        _cleanup_(freep) char *removal = NULL, *all = NULL;
        int r = applied_list(&applied, error);

        if (r < 0 || (applied->len == 0 && ports_of(state)->len == 0))
                return r;
        learn_kernel(state);
        read_addresses(state, applied);
        resume_all(state, applied, keeps, text);
        for (unsigned i = 0; i < applied->len; i++) {
                const AppliedPort *port = applied->pdata[i];

                if (port->device == 0 ? is_lost
                                      : !g_hash_table_contains(keeps, GUINT_TO_POINTER(port->device)))
                        add_removal(port, gone);
        }
        if (gone->len == 0 && text->len == 0 && !is_lost)
                return 0;
        add_elements(state, keeps, elements);
        removal = translate_removal(gone);
        all = g_strconcat(elements->str, removal, text->str, NULL);
        return apply(state, all, error);
}

static int restore(Driver *driver, Error *error) AWAITS
{
        static const char what[] = "filters of machines";
        struct FilterState *state = driver->filters;
        _cleanup_(error_clear) Error problem = {};
        int r;

        if (!filter_ports_are_there(driver))
                return 0;
        r = applied_find_lost(state, &problem);
        if (r < 0)
                log_warning(driver->object.path,
                            "Cannot see whether the kernel has all filters of machines: %s",
                            problem.message);
        else if (r == 0)
                nft_is_set(driver->object.path, what, &state->n_restored);
        else if (nft_sets_again(driver->object.path, what, &state->n_restored))
                return take_back(state, true, error);
        return 0;
}

/* Names are looked at first, and whether what has them is what they say afterwards. */
int filter_ports_take_back(Driver *driver, Error *error)
{
        _cleanup_(freep) char *path = mark_path(driver->filters);
        int r;

        if (geteuid() != 0 || (!filter_ports_are_there(driver) && access(path, F_OK) < 0))
                return 0;
        r = host_lock_claim(driver->config, error);
        if (r >= 0)
                r = filter_lock(driver->filters, DEADLINE_NEVER, error);
        if (r < 0)
                return r;
        r = take_back(driver->filters, false, error);
        if (r >= 0)
                r = restore(driver, error);
        filter_unlock(driver->filters);
        return r;
}

int filter_ports_restore(Driver *driver, Error *error)
{
        int r;

        if (geteuid() != 0 || !filter_ports_are_there(driver) || host_lock_claim(driver->config, NULL) < 0)
                return 0; /* they are another daemon's: the log had it when they were taken back */
        r = filter_lock(driver->filters, DEADLINE_NEVER, error);
        if (r < 0)
                return r;
        r = restore(driver, error);
        filter_unlock(driver->filters);
        return r;
}

bool filter_ports_are_there(const Driver *driver)
{
        return driver->filters && ports_of(driver->filters)->len > 0;
}

static int close_port(FilterPort *port, Error *error) AWAITS
{
        struct FilterState *state = port->state;
        _cleanup_(freep) char *text = NULL;
        int r = filter_lock(state, DEADLINE_NEVER, error);

        if (r < 0)
                return r;
        text = translate_removal(port->text.objects);
        r = nft_apply(text, error);
        filter_unlock(state);
        return r;
}

static void close_fiber(void *data)
{
        _cleanup_(port_unrefp) FilterPort *port = data;
        _cleanup_(error_clear) Error error = {};

        if (close_port(port, &error) < 0)
                log_warning(port->machine->path, "what filtered device %s is not removed: %s", port->name,
                            error.message);
}

void filter_ports_close(Driver *driver, const Object *machine, const char *device)
{
        GPtrArray *ports = driver->filters ? ports_of(driver->filters) : NULL;

        for (unsigned i = ports ? ports->len : 0; i > 0; i--) {
                FilterPort *port = ports->pdata[i - 1];

                if (port->machine != machine || (device && strcmp(port->name, device) != 0))
                        continue;
                port_ref(port);
                drop_port(port);
                if (!port->text.objects || fiber_start("filter-close", close_fiber, port) < 0)
                        port_unref(port); /* the next daemon removes what is left */
        }
}

typedef struct Change {
        FilterPort *port;
        FilterText text;
} Change;

static void change_release(void *data)
{
        Change *change = data;

        filter_text_clear(&change->text);
        port_unref(change->port);
        g_free(change);
}

/* All that use it, translated anew. */
static int prepare(struct FilterState *state, const FilterDefinition *definition, uid_t owner,
                   GPtrArray *changes, Error *error)
{
        for (unsigned i = 0; i < ports_of(state)->len; i++) {
                FilterPort *port = state->ports->pdata[i];
                FilterText text;
                Change *change;
                int r;

                if (port->machine->owner != owner || !g_hash_table_contains(port->parts, definition->name))
                        continue;
                r = port_translate(port, definition, &text, error);
                if (r < 0) {
                        error_prefix(error, "The %s uses it with its device '%s'",
                                     object_describe(port->machine), port->name);
                        return r;
                }
                change = g_new0(Change, 1);
                *change = (Change){ port_ref(port), text };
                g_ptr_array_add(changes, change);
        }
        return 0;
}

/* `applied`: what is there; NULL: as it should be. */
static char *changes_text(const GPtrArray *changes, const GPtrArray *applied)
{
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < changes->len; i++) {
                const Change *change = changes->pdata[i];
                const AppliedPort *there = applied ? find_applied(applied, change->port->device) : NULL;
                const GPtrArray *objects = there     ? there->objects
                                           : applied ? NULL
                                                     : change->port->text.objects;
                _cleanup_(freep) char *removal = objects ? translate_removal(objects) : NULL;
                _cleanup_(freep) char *addresses =
                        port_addresses_text(change->port, change->text.uses_learnt);

                if (!change->port->is_gone)
                        g_string_append_printf(text, "%s%s%s", removal ? removal : "", change->text.text,
                                               addresses);
        }
        return g_string_free(text, FALSE);
}

/* Somebody may have flushed the kernel's rules: then what is there is asked for. */
static int apply_changes(struct FilterState *state, const GPtrArray *changes, Error *error) AWAITS
{
        _cleanup_(freep) char *text = changes_text(changes, NULL), *again = NULL;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *applied = NULL;
        _cleanup_(error_clear) Error problem = {};

        if (apply(state, text, &problem) >= 0)
                return 0;
        if (applied_list(&applied, NULL) < 0) {
                int r = -error_code_to_errno(problem.code);

                error_move(error, &problem);
                return r;
        }
        again = changes_text(changes, applied);
        return apply(state, again, error);
}

static void commit(Change *change, const FilterDefinition *definition)
{
        FilterPort *port = change->port;
        _cleanup_(g_hash_table_unrefp) GHashTable *names =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        _cleanup_(error_clear) Error error = {};
        GHashTableIter at;
        void *name;

        g_hash_table_iter_init(&at, port->parts);
        while (g_hash_table_iter_next(&at, &name, NULL))
                g_hash_table_add(names, g_strdup(name));
        port_set_text(port, definition, &change->text);
        show(port->state, port->machine->owner, names); /* those that are no parts any more */
        show(port->state, port->machine->owner, port->parts);
        if (!port->is_gone && learn(port, &error) < 0)
                log_warning(port->machine->path, "device %s: %s", port->name, error.message);
}

int filter_ports_change(Driver *driver, const FilterDefinition *definition, uid_t owner, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *changes = g_ptr_array_new_with_free_func(change_release);
        int r = prepare(driver->filters, definition, owner, changes, error);

        if (r < 0 || changes->len == 0)
                return r;
        r = apply_changes(driver->filters, changes, error);
        for (unsigned i = 0; i < changes->len && r >= 0; i++) {
                commit(changes->pdata[i], definition);
        }
        return r;
}

void filter_ports_release(Driver *driver)
{
        g_clear_pointer(&driver->filters->listing, g_free);
        if (driver->filters->ports)
                g_ptr_array_unref(driver->filters->ports);
}
