/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the generator writes for a method of every type: that values get from the message to the operation
 * and from its outputs to the reply, and that nothing is left behind whatever fails in between (for which
 * this runs under the address sanitizer and valgrind too). The interface is that of the golden files. */

#include "bus/call.h"
#include "bus/marshal.h"
#include "handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Not real ones: the generated code only passes them on. */
struct DriverWithTable {
        Driver driver;
        DriverOperations operations;
};

typedef struct Fixture {
        sd_bus *bus;
        int other_end;
        struct DriverWithTable table;
        CallFrame frame;
        Domain domain;
} Fixture;

static const InterfaceMethod *frob, *find;
static unsigned n_dispatched, n_called;
static bool has_failed, has_bad_names;
static Domain *found;
static struct stat found_file;

/* Of bus/, which these tests do without. */
int call_dispatch(sd_bus_message *message, const InterfaceMethod *method, Object *object)
{
        assert_non_null(message);
        assert_ptr_equal(method, frob);
        assert_null(object);
        n_dispatched++;
        return 1;
}

int call_not_supported(const CallFrame *frame _unused_, Error *error)
{
        return error_set(error, ERROR_NOT_SUPPORTED, "not here");
}

int domain_property_name(Object *object, sd_bus_message *reply, Error *error _unused_)
{
        return marshal_append_string(reply, object->name);
}

int domain_property_autostart(Object *object, sd_bus_message *reply, Error *error _unused_)
{
        int value = ((Domain *)object)->is_autostart;

        return sd_bus_message_append_basic(reply, 'b', &value);
}

static int test_frob(Call *call, Domain *domain, const char *text, bool is_good, int32_t how,
                     const char *const *words, int file, const int *files, size_t n_files, GVariant *options,
                     uint32_t flags, uint64_t *ret_size, char **ret_answer, char ***ret_names,
                     GVariant **ret_values, Error *error)
{
        GVariantBuilder values;
        const char *mode;

        assert_ptr_equal(call->driver, domain->object.driver);
        assert_true(is_good);
        assert_int_equal(how, -7);
        assert_int_equal(g_strv_length((char **)words), 2);
        assert_string_equal(words[1], "two words");
        assert_true(fcntl(file, F_GETFD) >= 0);
        assert_int_equal(n_files, 2);
        assert_true(fcntl(files[0], F_GETFD) >= 0 && fcntl(files[1], F_GETFD) >= 0);
        assert_true(g_variant_lookup(options, "mode", "&s", &mode));
        assert_string_equal(mode, "fast");
        assert_int_equal(flags, 0xfffffffe);
        n_called++;
        if (has_failed)
                return error_set(error, ERROR_OPERATION_INVALID, "not now");
        *ret_size = UINT64_MAX;
        *ret_answer = text ? g_strdup(text) : NULL;
        *ret_names = g_strsplit(has_bad_names ? "fine,\xff\xfe" : "a,b,c", ",", 0);
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&values, "{sv}", "number", g_variant_new_uint32(9));
        *ret_values = g_variant_ref_sink(g_variant_builder_end(&values));
        return 0;
}

static int test_set_autostart(Call *call _unused_, Domain *domain, bool value, Error *error _unused_)
{
        domain->is_autostart = value;
        return 0;
}

static void domain_done(Object *object)
{
        g_free(object->path);
        g_free(object);
}

int domain_find(CallFrame *frame, Domain *domain, Domain **ret_first, GPtrArray **ret_all, int *ret_file,
                bool *ret_found, Error *error)
{
        assert_ptr_equal(frame->object, &domain->object);
        if (has_failed)
                return error_set(error, ERROR_NO_DOMAIN, "nobody");
        found = g_new0(Domain, 1);
        found->object =
                (Object){ .refs = 1, .free = domain_done, .path = g_strdup("/org/libvirt/T/domain/_1") };
        if (has_bad_names)
                found->object.path[0] = '?'; /* no message takes such a path */
        *ret_first = domain_ref(found);      /* one for the test, one for the caller */
        *ret_all = g_ptr_array_new_with_free_func(object_release);
        g_ptr_array_add(*ret_all, object_ref(&found->object));
        *ret_file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_int_equal(fstat(*ret_file, &found_file), 0);
        *ret_found = true;
        return 0;
}

static int fixture_open(void **state)
{
        Fixture *fixture = g_new0(Fixture, 1);
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        assert_true(sd_bus_new(&fixture->bus) >= 0);
        assert_true(sd_bus_set_fd(fixture->bus, ends[0], ends[0]) >= 0);
        assert_true(sd_bus_negotiate_fds(fixture->bus, true) >= 0);
        assert_true(sd_bus_start(fixture->bus) >= 0);
        fixture->other_end = ends[1];
        fixture->table.operations.domain.frob = test_frob;
        fixture->table.operations.domain.set_autostart = test_set_autostart;
        fixture->table.driver.operations = &fixture->table.operations;
        fixture->domain.object.driver = fixture->frame.call.driver = fixture->frame.path.driver =
                &fixture->table.driver;
        fixture->frame.object = &fixture->domain.object;
        frob = &interfaces[0]->methods[0];
        find = &interfaces[0]->methods[1];
        n_dispatched = n_called = 0;
        has_failed = has_bad_names = false;
        *state = fixture;
        return 0;
}

static int fixture_close(void **state)
{
        Fixture *fixture = *state;

        sd_bus_close_unref(fixture->bus);
        assert_int_equal(close(fixture->other_end), 0);
        g_free(fixture);
        return 0;
}

/* As it arrives: complete, and read from its beginning. */
static sd_bus_message *arrived(sd_bus_message *message)
{
        assert_true(sd_bus_message_seal(message, 1, 0) >= 0);
        assert_true(sd_bus_message_rewind(message, true) >= 0);
        return message;
}

static sd_bus_message *call_new(const Fixture *fixture, const InterfaceMethod *method)
{
        sd_bus_message *message = NULL;

        assert_true(sd_bus_message_new_method_call(fixture->bus, &message, NULL, "/", method->interface,
                                                   method->member) >= 0);
        return message;
}

static sd_bus_message *frob_call(const Fixture *fixture, const char *text)
{
        sd_bus_message *message = call_new(fixture, frob);

        assert_true(sd_bus_message_append(message, frob->in_signature, text, 1, -7, 2, "one", "two words", 0,
                                          2, 0, 0, 1, "mode", "s", "fast", 0xfffffffe) >= 0);
        return arrived(message);
}

static void values_get_through(void **state)
{
        Fixture *fixture = *state;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = frob_call(fixture, "hello"),
                                                        *reply = NULL;
        _cleanup_(error_clear) Error error = {};
        const char *answer, *names[3], *key;
        uint64_t size;
        uint32_t number;

        assert_true(frob->invoke(&fixture->frame, fixture->frame.object, message, &reply, &error) >= 0);
        arrived(reply);
        assert_string_equal(sd_bus_message_get_signature(reply, true), frob->out_signature);
        assert_true(sd_bus_message_read(reply, "tsas", &size, &answer, 3, &names[0], &names[1], &names[2]) >
                    0);
        assert_true(size == UINT64_MAX);
        assert_string_equal(answer, "hello");
        assert_string_equal(names[2], "c");
        /* The old family has two variants around each value. */
        assert_true(sd_bus_message_read(reply, "a{sv}", 1, &key, "v", "u", &number) > 0);
        assert_string_equal(key, "number");
        assert_int_equal(number, 9);
        assert_true(sd_bus_message_at_end(reply, true) > 0);
}

static void an_empty_text_is_none(void **state)
{
        Fixture *fixture = *state;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = frob_call(fixture, ""), *reply = NULL;
        _cleanup_(error_clear) Error error = {};
        const char *answer;

        assert_true(frob->invoke(&fixture->frame, fixture->frame.object, message, &reply, &error) >= 0);
        arrived(reply);
        assert_true(sd_bus_message_skip(reply, "t") >= 0);
        assert_true(sd_bus_message_read_basic(reply, 's', &answer) > 0);
        assert_string_equal(answer, ""); /* the operation got NULL, and gave it back */
}

static void an_error_makes_no_reply(void **state)
{
        Fixture *fixture = *state;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = frob_call(fixture, "x"), *reply = NULL;
        _cleanup_(error_clear) Error error = {};

        has_failed = true;
        assert_true(frob->invoke(&fixture->frame, fixture->frame.object, message, &reply, &error) < 0);
        assert_null(reply);
        assert_int_equal(error.code, ERROR_OPERATION_INVALID);
        assert_true(find->invoke(&fixture->frame, fixture->frame.object, message, &reply, &error) < 0);
        assert_null(reply);
}

/* A message that ends anywhere before its last argument: the operation never hears of it. */
static void what_is_missing_is_refused(void **state)
{
        Fixture *fixture = *state;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *whole = frob_call(fixture, "x");
        static const char *const types[] = { "", "s", "b", "i", "as", "h", "ah", "a{sv}" };

        for (size_t n = 0; n < G_N_ELEMENTS(types); n++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = call_new(fixture, frob),
                                                                *reply = NULL;
                _cleanup_(error_clear) Error error = {};

                assert_true(sd_bus_message_rewind(whole, true) >= 0);
                for (size_t i = 1; i <= n; i++)
                        assert_true(sd_bus_message_copy(message, whole, false) >= 0);
                arrived(message);
                assert_true(frob->invoke(&fixture->frame, fixture->frame.object, message, &reply, &error) <
                            0);
                assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
                assert_null(reply);
        }
        assert_int_equal(n_called, 0);
}

static void what_cannot_be_sent_is_freed(void **state)
{
        Fixture *fixture = *state;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = frob_call(fixture, "x"), *reply = NULL,
                                                        *second = NULL;
        _cleanup_(error_clear) Error error = {};

        has_bad_names = true;
        assert_true(frob->invoke(&fixture->frame, fixture->frame.object, message, &reply, &error) < 0);
        assert_int_equal(n_called, 1);
        assert_true(find->invoke(&fixture->frame, fixture->frame.object, message, &second, &error) < 0);
        assert_int_equal(found->object.refs, 1);
        domain_unref(found);
}

static void objects_and_descriptors_are_given(void **state)
{
        Fixture *fixture = *state;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = arrived(call_new(fixture, find)),
                                                        *reply = NULL;
        _cleanup_(error_clear) Error error = {};
        const char *first, *all;
        struct stat file;
        int fd, is_found, next, before;

        before = dup(fixture->other_end); /* the lowest free number */
        assert_int_equal(close(before), 0);
        assert_true(find->invoke(&fixture->frame, fixture->frame.object, message, &reply, &error) >= 0);
        assert_int_equal(found->object.refs, 1); /* what the reply needed of it was let go */
        arrived(reply);
        assert_string_equal(sd_bus_message_get_signature(reply, true), find->out_signature);
        assert_true(sd_bus_message_read(reply, "oaohb", &first, 1, &all, &fd, &is_found) > 0);
        assert_string_equal(first, found->object.path);
        assert_string_equal(all, found->object.path);
        assert_true(is_found);
        assert_int_equal(fstat(fd, &file), 0);
        assert_true(file.st_rdev == found_file.st_rdev);
        reply = sd_bus_message_unref(reply);
        next = dup(fixture->other_end);
        assert_int_equal(next, before); /* neither the operation's descriptor nor the reply's is left open */
        assert_int_equal(close(next), 0);
        domain_unref(found);
}

static void a_property_is_set(void **state)
{
        Fixture *fixture = *state;
        const InterfaceProperty *autostart = &interfaces[0]->properties[1];
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = call_new(fixture, frob);
        _cleanup_(error_clear) Error error = {};

        assert_string_equal(autostart->name, "Autostart");
        assert_null(interfaces[0]->properties[0].set); /* Name is read-only */
        assert_true(sd_bus_message_append(message, "b", 1) >= 0);
        arrived(message);
        assert_true(autostart->set(&fixture->frame, fixture->frame.object, message, &error) >= 0);
        assert_true(fixture->domain.is_autostart);
        assert_int_equal(autostart->set(&fixture->frame, fixture->frame.object, message, &error) < 0, true);
        assert_int_equal(error.code, ERROR_INVALID_ARGUMENT); /* it was read to its end */
        error_clear(&error);
        fixture->table.operations.domain.set_autostart = NULL;
        assert_true(sd_bus_message_rewind(message, true) >= 0);
        assert_true(autostart->set(&fixture->frame, fixture->frame.object, message, &error) < 0);
        assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
}

static void tables_lead_to_the_operation(void **state)
{
        Fixture *fixture = *state;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = frob_call(fixture, "x");
        void (*operation)(void);

        memcpy(&operation, (const char *)&fixture->table.operations + frob->operation_offset,
               sizeof operation);
        assert_true(operation == (void (*)(void))test_frob);
        assert_string_equal(find->operation, "domain.frob"); /* its handler needs it */
        assert_int_equal(find->operation_offset, frob->operation_offset);
        assert_true(interfaces[0]->vtable[1].x.method.handler(message, NULL, NULL) > 0);
        assert_int_equal(n_dispatched, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(values_get_through, fixture_open, fixture_close),
                cmocka_unit_test_setup_teardown(an_empty_text_is_none, fixture_open, fixture_close),
                cmocka_unit_test_setup_teardown(an_error_makes_no_reply, fixture_open, fixture_close),
                cmocka_unit_test_setup_teardown(what_is_missing_is_refused, fixture_open, fixture_close),
                cmocka_unit_test_setup_teardown(what_cannot_be_sent_is_freed, fixture_open, fixture_close),
                cmocka_unit_test_setup_teardown(objects_and_descriptors_are_given, fixture_open,
                                                fixture_close),
                cmocka_unit_test_setup_teardown(a_property_is_set, fixture_open, fixture_close),
                cmocka_unit_test_setup_teardown(tables_lead_to_the_operation, fixture_open, fixture_close),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
