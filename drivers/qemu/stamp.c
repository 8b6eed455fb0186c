/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a binary can do depends on the file, on the modules that it loads, on the kernel and the processor.
 * Their marks in one line tell whether what was found out still holds. */

#include "drivers/qemu/stamp.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Bump when the document of probe.c changes. */
#define STAMP_FORMAT 2

/* Where distributions keep the modules: a new one (SPICE, say) changes the folder. */
static const char *const module_folders[] = {
        "/usr/lib/qemu",
        "/usr/lib64/qemu",
        "/usr/lib/x86_64-linux-gnu/qemu",
        "/usr/lib/aarch64-linux-gnu/qemu",
};

static bool is_noticed(const char *line)
{
        static const char *const keys[] = { "vendor_id", "cpu family", "model",           "stepping",
                                            "flags",     "Features",   "CPU implementer", "CPU part" };

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                if (g_str_has_prefix(line, keys[i]))
                        return true;
        }
        return false;
}

void host_processor_read(HostProcessor *ret_processor)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

        *ret_processor = (HostProcessor){ 0 };
        /* Without the file nothing of it can change either. */
        if (g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL))
                lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; line && *line && **line;
             line++) { /* the first processor: up to the empty line */
                if (!is_noticed(*line))
                        continue;
                g_checksum_update(checksum, (const guchar *)*line, -1);
                if (g_str_has_prefix(*line, "vendor_id") && strchr(*line, ':'))
                        ret_processor->vendor = g_strstrip(g_strdup(strchr(*line, ':') + 1));
        }
        ret_processor->checksum = g_strndup(g_checksum_get_string(checksum), 16);
}

void host_processor_clear(HostProcessor *processor)
{
        g_free(processor->vendor);
        g_free(processor->checksum);
        *processor = (HostProcessor){ 0 };
}

int stamp_make(const char *binary, const HostProcessor *processor, char **ret_stamp, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        struct utsname kernel = { 0 };
        struct stat status;

        if (stat(binary, &status) < 0)
                return error_set_errno(error, errno, "There is no emulator %s", binary);
        if (!S_ISREG(status.st_mode) || !(status.st_mode & 0111))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "The emulator %s is no program", binary);
        (void)uname(&kernel); /* cannot fail */
        g_string_append_printf(text, "%d %ju %jd.%09ld %jd.%09ld %s %s kvm=%d", STAMP_FORMAT,
                               (uintmax_t)status.st_size, (intmax_t)status.st_mtim.tv_sec,
                               status.st_mtim.tv_nsec, (intmax_t)status.st_ctim.tv_sec,
                               status.st_ctim.tv_nsec, kernel.release, processor->checksum,
                               access("/dev/kvm", R_OK | W_OK) == 0);
        for (size_t i = 0; i < G_N_ELEMENTS(module_folders); i++) {
                if (stat(module_folders[i], &status) == 0)
                        g_string_append_printf(text, " %jd.%09ld", (intmax_t)status.st_mtim.tv_sec,
                                               status.st_mtim.tv_nsec);
        }
        *ret_stamp = g_string_free(TAKE_PTR(text), FALSE);
        return 0;
}
