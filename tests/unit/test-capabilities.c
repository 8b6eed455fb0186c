/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found out about binaries: by hand-written documents, by the QEMU of this host if it has one, and
 * by programs that only pretend to be one. */

#include "core/await.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/worker.h"
#include "drivers/qemu/cache.h"
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define QEMU "/usr/bin/qemu-system-x86_64"

static const char document[] =
        "{\"version\": 7002022, \"arch\": \"i386\", \"kvm\": true, \"machines\": ["
        "{\"name\": \"none\", \"cpu-max\": 1}, "
        "{\"name\": \"pc-q35-7.2\", \"alias\": \"q35\", \"cpu-max\": 288, \"default-cpu-type\": "
        "\"qemu64-x86_64-cpu\"},"
        "{\"name\": \"pc-i440fx-7.2\", \"alias\": \"pc\", \"is-default\": true, \"deprecated\": true}], "
        "\"kvm-cpus\": [{\"name\": \"host\", \"unavailable-features\": []}], "
        "\"tcg-cpus\": [{\"name\": \"qemu64\"}, {\"name\": \"EPYC\", \"unavailable-features\": [\"avx2\", "
        "\"svm\"]}], \"tcg-processor\": {\"vendor\": \"AuthenticAMD\", \"family\": 23, \"model\": 1, "
        "\"stepping\": 2, \"features\": [\"fpu\", \"sse4_1\", \"sse3\", \"tsc-adjust\", \"warp\", 7]}, "
        "\"types\": [\"VGA\", \"virtio-net-pci\"], \"commands\": [\"cont\"], "
        "\"options\": [\"sandbox\", \"sandbox.spawn\"]}";

static void reads_a_document(void **state)
{
        _cleanup_(json_decrefp) json_t *root = json_loads(document, 0, NULL);
        _cleanup_(capabilities_unrefp) QemuCapabilities *capabilities = NULL;

        const CpuProcessor *processor = NULL;
        _cleanup_(freep) char *features = NULL;

        (void)state;
        assert_int_equal(capabilities_new("/x", root, &capabilities, NULL), 0);
        assert_int_equal(capabilities_processor(capabilities, true, &processor, NULL), -EOPNOTSUPP);
        assert_int_equal(capabilities_processor(capabilities, false, &processor, NULL), 0);
        assert_string_equal(processor->vendor->name, "AMD");
        assert_true(cpu_model_is((unsigned)cpu_model_find("EPYC"), processor));
        assert_false(cpu_model_is((unsigned)cpu_model_find("EPYC-Rome"), processor));
        features = cpu_set_to_string(&processor->features);
        assert_string_equal(features, "fpu pni sse4.1 tsc_adjust");
        assert_string_equal(capabilities->arch, "i686");
        assert_int_equal(capabilities->machines->len, 2);
        assert_string_equal(capabilities_find_machine(capabilities, "q35")->name, "pc-q35-7.2");
        assert_string_equal(capabilities_find_machine(capabilities, "pc-q35-7.2")->default_cpu, "qemu64");
        assert_int_equal(capabilities_find_machine(capabilities, "q35")->vcpus_max, 288);
        assert_true(capabilities_default_machine(capabilities)->is_deprecated);
        assert_null(capabilities_find_machine(capabilities, "none"));
        assert_null(capabilities_find_machine(capabilities, NULL));
        assert_non_null(capabilities_find_cpu(capabilities, true, "host"));
        assert_null(capabilities_find_cpu(capabilities, false, "host"));
        assert_null(capabilities_find_cpu(capabilities, false, "qemu64")->missing);
        assert_string_equal(capabilities_find_cpu(capabilities, false, "EPYC")->missing[1], "svm");
        assert_true(capabilities_has_type(capabilities, "VGA"));
        assert_false(capabilities_has_type(capabilities, "vga"));
        assert_true(capabilities_has_command(capabilities, "cont"));
        assert_true(capabilities_has_option(capabilities, "sandbox", "spawn"));
        assert_true(capabilities_has_option(capabilities, "sandbox", NULL));
        assert_false(capabilities_has_option(capabilities, "sandbox", "nonsense"));
}

static void refuses_documents(void **state)
{
        static const char *const bad[] = {
                "{}",
                "{\"version\": 1, \"arch\": \"x86_64\", \"machines\": [], \"types\": [\"a\"]}",
                "{\"version\": \"7\", \"arch\": \"x86_64\", \"machines\": [{}], \"types\": [\"a\"]}",
                "{\"version\": 7, \"arch\": 7, \"machines\": [{}], \"types\": [\"a\"]}",
                "{\"version\": 7, \"arch\": \"x86_64\", \"machines\": {}, \"types\": {}}",
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                _cleanup_(json_decrefp) json_t *root = json_loads(bad[i], 0, NULL);
                QemuCapabilities *capabilities = NULL;

                assert_true(capabilities_new("/x", root, &capabilities, NULL) < 0);
                assert_null(capabilities);
        }
}

typedef struct Test {
        char *folder;
        Config config;
        void (*body)(struct Test *test);
} Test;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
        (void)status;
        (void)kind;
        (void)walk;
        return remove(path);
}

static void test_fiber(void *data)
{
        Test *test = data;

        test->body(test);
        loop_exit(0);
}

static void run(void (*body)(Test *test))
{
        Test test = { .body = body };

        test.folder = g_dir_make_tmp("virtbus-capabilities-XXXXXX", NULL);
        assert_non_null(test.folder);
        test.config.cache_dir = g_build_filename(test.folder, "cache", NULL);
        assert_int_equal(loop_open(), 0);
        assert_int_equal(fiber_start("test", test_fiber, &test), 0);
        assert_int_equal(loop_run(), 0);
        worker_close();
        fiber_close();
        loop_close();
        assert_int_equal(nftw(test.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
        g_free(test.config.cache_dir);
        g_free(test.folder);
}

static uint64_t soon(void)
{
        return deadline_after_usec(60 * G_USEC_PER_SEC);
}

/* A program in the test's folder; the caller frees its path. */
static char *make_program(const Test *test, const char *name, const char *text)
{
        char *path = g_build_filename(test->folder, name, NULL);

        assert_true(g_file_set_contents(path, text, -1, NULL));
        assert_int_equal(chmod(path, 0755), 0);
        return path;
}

static unsigned count_lines(const Test *test, const char *name)
{
        g_autofree char *path = g_build_filename(test->folder, name, NULL), *text = NULL;
        unsigned count = 0;

        if (g_file_get_contents(path, &text, NULL, NULL))
                for (const char *at = text; *at; at++)
                        count += *at == '\n';
        return count;
}

/* QEMU behind a script that counts how often it is run. */
static char *make_counting_qemu(const Test *test)
{
        g_autofree char *text =
                g_strdup_printf("#!/bin/sh\necho run >> '%s/runs'\nexec " QEMU " \"$@\"\n", test->folder);

        return make_program(test, "qemu-system-x86_64", text);
}

static void real(Test *test)
{
        _cleanup_(freep) char *binary = make_counting_qemu(test), *own = NULL;
        CapabilitiesCache *cache = capabilities_cache_new(&test->config, test->folder);
        _cleanup_(capabilities_unrefp) QemuCapabilities *first = NULL, *second = NULL, *third = NULL;
        _cleanup_(error_clear) Error error = { 0 };
        unsigned runs;

        own = capabilities_binary_for(cache, "x86_64");
        assert_string_equal(own, binary);
        assert_null(capabilities_get(cache, binary, 0));
        capabilities_probe_all(cache);
        assert_non_null(capabilities_get(cache, binary, 0));
        assert_int_equal(capabilities_wait(cache, binary, 0, soon(), &first, &error), 0);
        runs = count_lines(test, "runs");
        assert_in_range(runs, 1, 2); /* the second with KVM only */
        assert_string_equal(first->arch, "x86_64");
        assert_true(first->version > 5000000);
        assert_non_null(capabilities_find_machine(first, "q35"));
        assert_non_null(capabilities_default_machine(first));
        assert_true(capabilities_has_type(first, "virtio-blk-pci"));
        assert_true(capabilities_has_type(first, "memory-backend-memfd"));
        assert_true(capabilities_has_command(first, "device_add"));
        assert_true(capabilities_has_option(first, "chardev", "path"));
        assert_non_null(capabilities_find_cpu(first, false, "qemu64"));

        /* Another daemon finds the file. */
        capabilities_cache_free(cache);
        cache = capabilities_cache_new(&test->config, test->folder);
        assert_int_equal(capabilities_wait(cache, binary, 0, soon(), &second, &error), 0);
        assert_int_equal(count_lines(test, "runs"), runs);
        assert_int_equal(second->machines->len, first->machines->len);
        assert_int_equal(g_hash_table_size(second->types), g_hash_table_size(first->types));

        /* Another binary in its place is asked again. */
        assert_true(g_file_set_contents(binary, "#!/bin/sh\nexec " QEMU " \"$@\"\n", -1, NULL));
        assert_int_equal(chmod(binary, 0755), 0);
        assert_int_equal(capabilities_wait(cache, binary, 0, soon(), &third, &error), 0);
        assert_ptr_not_equal(third, second);
        assert_int_equal(count_lines(test, "runs"), runs);
        capabilities_cache_free(cache);
}

static void asks_and_remembers(void **state)
{
        (void)state;
        if (access(QEMU, X_OK) < 0)
                skip();
        run(real);
}

typedef struct Waiter {
        CapabilitiesCache *cache;
        const char *binary;
        unsigned *n_done;
        int result;
} Waiter;

static void waiter_fiber(void *data)
{
        Waiter *waiter = data;
        _cleanup_(capabilities_unrefp) QemuCapabilities *capabilities = NULL;

        waiter->result = capabilities_wait(waiter->cache, waiter->binary, 0, soon(), &capabilities, NULL);
        (*waiter->n_done)++;
}

static void together(Test *test)
{
        _cleanup_(freep) char *binary = make_counting_qemu(test);
        _cleanup_(capabilities_cache_freep) CapabilitiesCache *cache =
                capabilities_cache_new(&test->config, test->folder);
        QemuCapabilities *capabilities = NULL;
        Waiter waiters[20];
        unsigned n_done = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(waiters); i++) {
                waiters[i] = (Waiter){ .cache = cache, .binary = binary, .n_done = &n_done, .result = 1 };
                assert_int_equal(fiber_start("waiter", waiter_fiber, &waiters[i]), 0);
        }
        /* One that leaves takes nothing from the others. */
        assert_int_equal(capabilities_wait(cache, binary, 0, deadline_after_usec(1000), &capabilities, NULL),
                         -ETIMEDOUT);
        while (n_done < G_N_ELEMENTS(waiters))
                assert_int_equal(await_until(deadline_after_usec(1000)), 0);
        for (size_t i = 0; i < G_N_ELEMENTS(waiters); i++)
                assert_int_equal(waiters[i].result, 0);
        assert_in_range(count_lines(test, "runs"), 1, 2);
}

static void asks_once_for_many(void **state)
{
        (void)state;
        if (access(QEMU, X_OK) < 0)
                skip();
        run(together);
}

static void expect_failure(CapabilitiesCache *cache, const char *binary, const char *words)
{
        QemuCapabilities *capabilities = NULL;
        _cleanup_(error_clear) Error error = { 0 };

        assert_true(capabilities_wait(cache, binary, 0, soon(), &capabilities, &error) < 0);
        assert_null(capabilities);
        if (!strstr(error.message, words))
                fail_msg("'%s' does not say '%s'", error.message, words);
}

static void pretenders(Test *test)
{
        _cleanup_(capabilities_cache_freep) CapabilitiesCache *cache =
                capabilities_cache_new(&test->config, test->folder);
        _cleanup_(freep) char *fails =
                make_program(test, "fails", "#!/bin/sh\necho out of sorts >&2\nexit 3\n");
        _cleanup_(freep) char *garbage =
                make_program(test, "garbage", "#!/bin/sh\necho rubbish >&3\nexec sleep 60\n");
        _cleanup_(freep) char *noisy =
                make_program(test, "noisy", "#!/bin/sh\nwhile echo complaint; do :; done >&2\nexit 1\n");
        _cleanup_(freep) char *silent = make_program(test, "silent", "#!/bin/sh\nexit 0\n");

        expect_failure(cache, fails, "out of sorts");
        expect_failure(cache, garbage, "no JSON object");
        expect_failure(cache, noisy, "complaint");
        expect_failure(cache, silent, silent);
        expect_failure(cache, "/nonexistent/qemu", "no emulator");
        expect_failure(cache, test->folder, "no program");
        expect_failure(cache, "qemu", "not absolute");
        assert_null(capabilities_get(cache, fails, 0));
}

static void survives_pretenders(void **state)
{
        (void)state;
        run(pretenders);
}

static void hangs(Test *test)
{
        CapabilitiesCache *cache = capabilities_cache_new(&test->config, test->folder);
        _cleanup_(freep) char *binary = make_program(test, "hangs", "#!/bin/sh\nexec sleep 1000\n");
        QemuCapabilities *capabilities = NULL;

        assert_int_equal(
                capabilities_wait(cache, binary, 0, deadline_after_usec(50000), &capabilities, NULL),
                -ETIMEDOUT);
        assert_null(capabilities_get(cache, binary, 0));
        /* The end of the daemon does not wait for it. */
        capabilities_cache_free(cache);
        while (fiber_count() > 1)
                assert_int_equal(await_turn(), 0);
}

static void a_binary_that_hangs_holds_nobody(void **state)
{
        (void)state;
        run(hangs);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_a_document),    cmocka_unit_test(refuses_documents),
                cmocka_unit_test(asks_and_remembers),  cmocka_unit_test(asks_once_for_many),
                cmocka_unit_test(survives_pretenders), cmocka_unit_test(a_binary_that_hangs_holds_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
