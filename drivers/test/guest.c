/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guest is a few states, which begin anew with each run: the machine's id tells runs apart. Keys and
 * interrupts are checked and reach nobody. */

#include "drivers/test/guest.h"
#include "drivers/test/machine.h"
#include "model/cpuset.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NANOSECONDS 1000000000
#define SECONDS_MAX (UINT64_C(4) << 30) /* in the year 2106 */
#define KEYS_MAX    16
#define CODESETS    10 /* virKeycodeSet */
#define VCPUS_MAX   64 /* of which the guest can spare all but the first; further ones are always online */

/* virDomainGetHostnameFlags, virDomainSetTimeFlags, virDomainSetUserPasswordFlags. */
enum {
        HOSTNAME_LEASE = 1 << 0,
        HOSTNAME_AGENT = 1 << 1,
        TIME_SYNC = 1 << 0,
        PASSWORD_ENCRYPTED = 1 << 0,
};

static const char *const mounted[] = { "/", "/boot" };

struct Guest {
        int run; /* the machine's id */
        int64_t clock_offset_nsec;
        bool is_frozen[G_N_ELEMENTS(mounted)];
        bool is_offline[VCPUS_MAX];
};

static int guest_of(Domain *domain, const char *operation, uint32_t flags, uint32_t known, Guest **ret_guest,
                    Error *error)
{
        int r = error_check_flags(error, operation, flags, known);
        Guest *guest;

        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        if (!machine_of(domain)->guest)
                machine_of(domain)->guest = g_new0(Guest, 1);
        guest = machine_of(domain)->guest;
        if (guest->run != domain->id)
                *guest = (Guest){ .run = domain->id };
        *ret_guest = guest;
        return 0;
}

static int find_mounted(const char *path, Error *error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(mounted); i++)
                if (strcmp(mounted[i], path) == 0)
                        return (int)i;
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "Nothing is mounted at '%s' in the guest, only at / and /boot", path);
}

/* None that is named means all; counts those that changed. */
static int set_frozen(Guest *guest, const char *const *paths, bool is_frozen, uint32_t *ret_count,
                      Error *error)
{
        bool is_meant[G_N_ELEMENTS(mounted)] = {};
        uint32_t count = 0;

        for (const char *const *path = paths; *path; path++) {
                int i = find_mounted(*path, error);

                if (i < 0)
                        return i;
                is_meant[i] = true;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(mounted); i++) {
                if ((*paths && !is_meant[i]) || guest->is_frozen[i] == is_frozen)
                        continue;
                guest->is_frozen[i] = is_frozen;
                count++;
        }
        *ret_count = count;
        return 0;
}

int test_domain_fs_freeze(Call *call, Domain *domain, const char *const *mountpoints, uint32_t flags,
                          uint32_t *ret_frozen, Error *error)
{
        Guest *guest;
        int r = guest_of(domain, "FSFreeze", flags, 0, &guest, error);

        (void)call;
        return r < 0 ? r : set_frozen(guest, mountpoints, true, ret_frozen, error);
}

int test_domain_fs_thaw(Call *call, Domain *domain, const char *const *mountpoints, uint32_t flags,
                        uint32_t *ret_thawed, Error *error)
{
        Guest *guest;
        int r = guest_of(domain, "FSThaw", flags, 0, &guest, error);

        (void)call;
        return r < 0 ? r : set_frozen(guest, mountpoints, false, ret_thawed, error);
}

int test_domain_fs_trim(Call *call, Domain *domain, const char *mountpoint, uint64_t minimum, uint32_t flags,
                        Error *error)
{
        Guest *guest;
        int r = guest_of(domain, "FSTrim", flags, 0, &guest, error);

        (void)call, (void)minimum; /* nothing is free in what has no content */
        if (r >= 0 && mountpoint)  /* NULL: all */
                r = find_mounted(mountpoint, error);
        return MIN(r, 0);
}

int test_domain_get_fs_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info, Error *error)
{
        GVariantBuilder list;
        Guest *guest;
        int r = guest_of(domain, "GetFSInfo", flags, 0, &guest, error);

        (void)call;
        if (r < 0)
                return r;
        g_variant_builder_init(&list, G_VARIANT_TYPE("a(sssas)"));
        for (size_t i = 0; i < G_N_ELEMENTS(mounted); i++) {
                _cleanup_(freep) char *device = g_strdup_printf("vda%zu", i + 1);

                g_variant_builder_add(&list, "(sss@as)", device, mounted[i], "ext4",
                                      g_variant_new_strv((const char *const[]){ "vda" }, 1));
        }
        *ret_info = g_variant_ref_sink(g_variant_builder_end(&list));
        return 0;
}

int test_domain_get_hostname(Call *call, Domain *domain, uint32_t flags, char **ret_hostname, Error *error)
{
        Guest *guest;
        int r = guest_of(domain, "GetHostname", flags, HOSTNAME_LEASE | HOSTNAME_AGENT, &guest, error);

        (void)call;
        if (r >= 0)
                *ret_hostname = g_strdup_printf("%shost", domain->object.name);
        return r;
}

static int64_t now_nsec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now); /* it is always there */
        return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

int test_domain_get_time(Call *call, Domain *domain, uint32_t flags, GVariant **ret_time, Error *error)
{
        Guest *guest;
        int r = guest_of(domain, "GetTime", flags, 0, &guest, error);
        uint64_t nsec;

        (void)call;
        if (r < 0)
                return r;
        nsec = (uint64_t)(now_nsec() + guest->clock_offset_nsec);
        *ret_time = g_variant_ref_sink(
                g_variant_new("(tu)", (guint64)(nsec / NANOSECONDS), (guint32)(nsec % NANOSECONDS)));
        return 0;
}

int test_domain_set_time(Call *call, Domain *domain, uint64_t seconds, uint32_t nanoseconds, uint32_t flags,
                         Error *error)
{
        Guest *guest;
        int r = guest_of(domain, "SetTime", flags, TIME_SYNC, &guest, error);

        (void)call;
        if (r >= 0 && (nanoseconds >= NANOSECONDS || seconds > SECONDS_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "A time has at most %" PRIu64 " seconds, and less than 10^9 nanoseconds",
                              SECONDS_MAX);
        if (r < 0)
                return r;
        guest->clock_offset_nsec =
                flags & TIME_SYNC ? 0 : (int64_t)(seconds * NANOSECONDS + nanoseconds) - now_nsec();
        return 0;
}

int test_domain_inject_nmi(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        Guest *guest;

        (void)call;
        return guest_of(domain, "InjectNMI", flags, 0, &guest, error);
}

int test_domain_send_key(Call *call, Domain *domain, uint32_t codeset, uint32_t hold_msec,
                         GVariant *keycodes, uint32_t flags, Error *error)
{
        size_t n = g_variant_n_children(keycodes);
        Guest *guest;
        int r = guest_of(domain, "SendKey", flags, 0, &guest, error);

        (void)call, (void)hold_msec; /* keys reach nobody */
        if (r >= 0 && codeset >= CODESETS)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "There is no set of key codes %u: 0 to %d are",
                              codeset, CODESETS - 1);
        if (r >= 0 && (n == 0 || n > KEYS_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "1 to %d keys can be pressed, not %zu",
                              KEYS_MAX, n);
        return r;
}

int test_domain_set_user_password(Call *call, Domain *domain, const char *user, const char *password,
                                  uint32_t flags, Error *error)
{
        Guest *guest;
        int r = guest_of(domain, "SetUserPassword", flags, PASSWORD_ENCRYPTED, &guest, error);

        (void)call, (void)password; /* nobody logs in */
        if (r >= 0 && strcmp(user, "root") != 0)
                r = error_set(error, ERROR_OPERATION_FAILED, "The guest has no user '%s', only root", user);
        return r;
}

static bool is_online(const Guest *guest, unsigned vcpu)
{
        return vcpu >= VCPUS_MAX || !guest->is_offline[vcpu];
}

static void add_set(GVariantBuilder *sets, const char *key, GString *numbers)
{
        _cleanup_(freep) char *text = g_string_free(numbers, FALSE), *set = cpuset_canonical(text);

        g_variant_builder_add(sets, "{sv}", key, g_variant_new_string(set));
}

int test_domain_get_guest_vcpus(Call *call, Domain *domain, uint32_t flags, GVariant **ret_vcpus,
                                Error *error)
{
        GString *all, *online, *offlinable;
        GVariantBuilder sets;
        Guest *guest;
        int r = guest_of(domain, "GetGuestVcpus", flags, 0, &guest, error);

        (void)call;
        if (r < 0)
                return r;
        all = g_string_new(NULL);
        online = g_string_new(NULL);
        offlinable = g_string_new(NULL);
        for (unsigned i = 0; i < domain->live->current_vcpus; i++) {
                g_string_append_printf(all, "%s%u", i > 0 ? "," : "", i);
                if (is_online(guest, i))
                        g_string_append_printf(online, "%s%u", online->len ? "," : "", i);
                if (i > 0 && i < VCPUS_MAX)
                        g_string_append_printf(offlinable, "%s%u", offlinable->len ? "," : "", i);
        }
        g_variant_builder_init(&sets, G_VARIANT_TYPE_VARDICT);
        add_set(&sets, "vcpus", all);
        add_set(&sets, "online", online);
        add_set(&sets, "offlinable", offlinable);
        *ret_vcpus = g_variant_ref_sink(g_variant_builder_end(&sets));
        return 0;
}

static int check_vcpu(const Domain *domain, unsigned vcpu, bool is_to_be_online, Error *error)
{
        if (vcpu >= domain->live->current_vcpus)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The guest has no processor %u", vcpu);
        if (!is_to_be_online && (vcpu == 0 || vcpu >= VCPUS_MAX))
                return error_set(error, ERROR_OPERATION_INVALID, "The guest cannot spare its processor %u",
                                 vcpu);
        return 0;
}

int test_domain_set_guest_vcpus(Call *call, Domain *domain, GVariant *map, int32_t state, uint32_t flags,
                                Error *error)
{
        bool changed[VCPUS_MAX] = {};
        size_t n = g_variant_n_children(map), n_chosen = 0;
        Guest *guest;
        int r = guest_of(domain, "SetGuestVcpus", flags, 0, &guest, error);

        (void)call;
        if (r >= 0 && state != 0 && state != 1)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "A processor is online (1) or offline (0), not %d", state);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                gboolean is_meant;

                g_variant_get_child(map, i, "b", &is_meant);
                if (!is_meant)
                        continue;
                r = check_vcpu(domain, (unsigned)i, state == 1, error);
                if (i < VCPUS_MAX)
                        changed[i] = true;
                n_chosen++;
        }
        if (r >= 0 && n_chosen == 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "No processor is chosen");
        for (size_t i = 0; r >= 0 && i < VCPUS_MAX; i++)
                if (changed[i])
                        guest->is_offline[i] = state == 0;
        return r;
}
