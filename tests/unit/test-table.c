/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table engine, by a structure that has a row of every kind: what is read, written, refused, copied,
 * compared and told natively. */

#include "model/table.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COLOURS(E) E(COLOUR_ABSENT, NULL) E(RED, "red") E(GREEN, "green") E(BLUE, "blue")
DECLARE_ENUM(Colour, colour, COLOURS)
DEFINE_ENUM(colour, COLOURS);

typedef struct Wheel {
        uint32_t number;
        char *tyre;
} Wheel;

#define THIS Wheel
static const Field wheel_fields[] = {
        UNSIGNED("@number", number, .flags = FIELD_REQUIRED | FIELD_ALWAYS),
        STRING("tyre", tyre, .flags = FIELD_NO_ABI),
};
#undef THIS
static DEFINE_STRUCT(wheel, Wheel);

typedef struct Sticker {
        char *text;
} Sticker;

#define THIS Sticker
static const Field sticker_fields[] = { STRING("@text", text, .flags = FIELD_NO_ABI | FIELD_REQUIRED) };
#undef THIS
static DEFINE_STRUCT(sticker, Sticker);

typedef struct Engine {
        char *fuel;
        uint32_t power;
} Engine;

static int engine_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const Engine *engine = object;

        (void)flags;
        if (engine->power > 1000)
                return error_set(error, ERROR_INVALID_XML, "line %u: <engine>: power='%u' is too much",
                                 node ? node->line : 0, engine->power);
        return 0;
}

#define THIS Engine
static const Field engine_fields[] = { STRING("@fuel", fuel), UNSIGNED("@power", power) };
#undef THIS
static DEFINE_STRUCT(engine, Engine, .check = engine_check);

typedef struct Car Car;
struct Car {
        Colour colour;
        YesNo sold;
        bool has_doors, is_convertible;
        uint8_t seats;
        uint16_t code;
        uint32_t doors, gears, price;
        int32_t level;
        uint64_t tank_kib;
        char uuid[37], mac[18];
        char *name, *owner, *key, *position, *cpus, *notes, *sail;
        char **extras;
        Engine *engine;
        Engine spare;
        LIST(Wheel) wheels;
        LIST(Sticker) stickers;
        Car *towed;
};

extern const StructType car_type;

#define THIS Car
static const Field car_fields[] = {
        ENUM("@colour", colour, colour, .flags = FIELD_REQUIRED),
        YESNO("@sold", sold, .flags = FIELD_NO_ABI),
        UNSIGNED("@price", price, WHEN(sold, BIT(YES))),
        STRING("name", name, .flags = FIELD_NOT_EMPTY),
        STRING("owner/@name", owner, .flags = FIELD_NO_ABI),
        STRING("owner/@key", key, .flags = FIELD_SECRET),
        STRING("owner", position, .flags = FIELD_LIVE | FIELD_NO_ABI),
        UUID("uuid", uuid),
        MAC("mac/@address", mac),
        UNSIGNED("inside/seats/@count", seats),
        OPTIONAL_UNSIGNED("inside/doors", doors),
        UNSIGNED("gears", gears, .initial = 5, .flags = FIELD_ALWAYS),
        SIGNED("level", level),
        HEX("code/@value", code, 4),
        SIZE_KIB("tank", tank_kib, .flags = FIELD_ROUND_UP),
        CPUSET("cpus", cpus),
        FLAG("convertible", is_convertible),
        STRING("sail", sail, WHEN(colour, BIT(BLUE))),
        STRINGS("extras/extra", extras),
        RAW("notes", notes),
        STRUCT("engine", engine, engine),
        INLINE("spare", spare, engine),
        ITEMS("wheel", wheels, wheel),
        ITEMS("sticker", stickers, sticker),
        FIELD_(FIELD_STRUCT, "car", towed, .type = &car_type),
};
#undef THIS
DEFINE_STRUCT(car, Car);

/* As it is written: what the tests read and compare with. */
static const char full[] = "<car colour='blue' sold='yes' price='9'>\n"
                           "  <name>Beetle &amp; co</name>\n"
                           "  <owner name='Ann' key='4711'>garage</owner>\n"
                           "  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>\n"
                           "  <mac address='52:54:00:12:34:56'/>\n"
                           "  <inside>\n"
                           "    <seats count='4'/>\n"
                           "    <doors>0</doors>\n"
                           "  </inside>\n"
                           "  <gears>0</gears>\n"
                           "  <level>-3</level>\n"
                           "  <code value='0x00ff'/>\n"
                           "  <tank unit='KiB'>2048</tank>\n"
                           "  <cpus>0-3,7</cpus>\n"
                           "  <convertible/>\n"
                           "  <sail>white</sail>\n"
                           "  <extras>\n"
                           "    <extra>radio</extra>\n"
                           "    <extra>hook</extra>\n"
                           "  </extras>\n"
                           "  <notes>\n"
                           "    <m:note xmlns:m=\"urn:m\" a=\"1\">as <b>written</b></m:note>\n"
                           "  </notes>\n"
                           "  <engine fuel='diesel' power='90'/>\n"
                           "  <spare fuel='petrol'/>\n"
                           "  <wheel number='0'>\n"
                           "    <tyre>summer</tyre>\n"
                           "  </wheel>\n"
                           "  <wheel number='1'/>\n"
                           "  <sticker text='hello'/>\n"
                           "  <car colour='red'>\n"
                           "    <gears>5</gears>\n"
                           "  </car>\n"
                           "</car>\n";

static Car *car_free(Car *car)
{
        return struct_free(&car_type, car);
}
DEFINE_CLEANUP(Car, car_free)

static int car_parse(const char *xml, unsigned flags, Car **ret_car, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        void *car;
        int r = xml_parse(xml, strlen(xml), "car", &document, error);

        assert_return_code(r, -r);
        r = struct_parse(&car_type, xml_document_root(document), flags, &car, error);
        if (r >= 0)
                *ret_car = car;
        return r;
}

static Car *car_read(const char *xml)
{
        _cleanup_(error_clear) Error error = { 0 };
        Car *car = NULL;

        if (car_parse(xml, 0, &car, &error) < 0)
                fail_msg("%s", error.message);
        return car;
}

static char *car_write(const Car *car, unsigned flags)
{
        return struct_to_xml(&car_type, car, "car", flags);
}

static void assert_writes(const Car *car, unsigned flags, const char *expected)
{
        _cleanup_(freep) char *xml = car_write(car, flags);

        assert_string_equal(xml, expected);
}

static void test_every_kind_is_read(void **state)
{
        _cleanup_(car_freep) Car *car = car_read(full);

        (void)state;
        assert_string_equal(colour_to_string(car->colour), "blue");
        assert_int_equal(car->sold, YES);
        assert_string_equal(car->name, "Beetle & co");
        assert_string_equal(car->uuid, "c7a5fdbd-edaf-9455-926a-d65c16db1809");
        assert_string_equal(car->mac, "52:54:00:12:34:56");
        assert_int_equal(car->seats, 4);
        assert_true(car->has_doors);
        assert_int_equal(car->doors, 0);
        assert_int_equal(car->gears, 0);
        assert_int_equal(car->level, -3);
        assert_int_equal(car->code, 255);
        assert_int_equal(car->tank_kib, 2048);
        assert_string_equal(car->cpus, "0-3,7");
        assert_true(car->is_convertible);
        assert_string_equal(car->extras[1], "hook");
        assert_null(car->extras[2]);
        assert_string_equal(car->engine->fuel, "diesel");
        assert_int_equal(car->wheels.count, 2);
        assert_string_equal(car->wheels.items[0]->tyre, "summer");
        assert_int_equal(car->towed->gears, 5);
        assert_false(car->towed->has_doors);
}

static void test_what_is_read_is_written(void **state)
{
        _cleanup_(car_freep) Car *car = car_read(full);

        (void)state;
        assert_writes(car, DEFINITION_SECURE, full);
}

static void test_what_people_write_becomes_canonical(void **state)
{
        static const struct {
                const char *in, *out;
        } cases[] = {
                { "<tank unit='b'>1</tank>", "  <tank unit='KiB'>1</tank>\n" },
                { "<tank unit='GiB'>2</tank>", "  <tank unit='KiB'>2097152</tank>\n" },
                { "<tank unit='kb'>1000</tank>", "  <tank unit='KiB'>977</tank>\n" },
                { "<cpus>3, 1-2,^2,1</cpus>", "  <cpus>1,3</cpus>\n" },
                { "<code value='255'/>", "  <code value='0x00ff'/>\n" },
                { "<code value='0377'/>", "  <code value='0x00ff'/>\n" },
                { "<mac address='52:54:0:AB:CD:EF'/>", "  <mac address='52:54:00:ab:cd:ef'/>\n" },
                { "<unknown><deep a='b'/></unknown>", "" },
                { "<sail>only of blue ones</sail>", "" },
                { "<x:name xmlns:x='urn:x'>of others</x:name>", "" },
                { "<convertible>text</convertible>", "  <convertible/>\n" },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(freep) char *in = g_strconcat("<car colour='red'>", cases[i].in, "</car>", NULL);
                _cleanup_(freep) char *gears =
                        g_str_has_prefix(cases[i].out, "  <mac")
                                ? g_strconcat(cases[i].out, "  <gears>5</gears>\n", NULL)
                                : g_strconcat("  <gears>5</gears>\n", cases[i].out, NULL);
                _cleanup_(freep) char *out = g_strconcat("<car colour='red'>\n", gears, "</car>\n", NULL);
                _cleanup_(car_freep) Car *car = car_read(in);

                assert_writes(car, 0, out);
        }
}

static void test_wrong_values_are_refused_precisely(void **state)
{
        static const struct {
                const char *in, *message;
        } cases[] = {
                { "<car/>", "line 1: <car>: @colour is missing" },
                { "<car colour='pink'/>", "@colour='pink': one of red, green, blue expected" },
                { "<car colour=''/>", "@colour='': one of" },
                { "<car colour='red' sold='true'/>", "@sold='true': one of yes, no expected" },
                { "<car colour='red'><name/></car>", "<name>: name='': a text is expected" },
                { "<car colour='red'>\n<level>1x</level></car>", "line 2: <level>: level='1x'" },
                { "<car colour='red'><level>+1</level></car>", "an integer of at most 32 bits" },
                { "<car colour='red'><level> 1</level></car>", "an integer" },
                { "<car colour='red'><level>2147483648</level></car>", "an integer" },
                { "<car colour='red'><level>-2147483649</level></car>", "an integer" },
                { "<car colour='red'><level>--1</level></car>", "an integer" },
                { "<car colour='red'><gears>-1</gears></car>", "a positive integer of at most 32 bits" },
                { "<car colour='red'><gears>+1</gears></car>", "a positive integer" },
                { "<car colour='red'><gears></gears></car>", "a positive integer" },
                { "<car colour='red'><gears>0x10</gears></car>", "a positive integer" },
                { "<car colour='red'><gears>4294967296</gears></car>", "a positive integer" },
                { "<car colour='red'><gears>99999999999999999999</gears></car>", "a positive integer" },
                { "<car colour='red'><inside><seats count='256'/></inside></car>", "at most 8 bits" },
                { "<car colour='red'><code value='0x10000'/></car>", "at most 16 bits" },
                { "<car colour='red'><code value='0xg'/></car>", "at most 16 bits" },
                { "<car colour='red'><tank unit='stone'>1</tank></car>",
                  "not unit 'stone' but one as bytes" },
                { "<car colour='red'><tank>much</tank></car>", "tank='much': a size is expected" },
                { "<car colour='red'><tank unit='EiB'>16</tank></car>", "a size is expected" },
                { "<car colour='red'><tank>18446744073709551615</tank></car>", "a size is expected" },
                { "<car colour='red'><uuid>1234</uuid></car>", "a UUID is expected" },
                { "<car colour='red'><mac address='52:54:00:12:34'/></car>", "a MAC address as" },
                { "<car colour='red'><mac address='52:54:00:12:34:567'/></car>", "a MAC address as" },
                { "<car colour='red'><cpus>3-1</cpus></car>", "a set of numbers" },
                { "<car colour='red'><cpus>1,,2</cpus></car>", "a set of numbers" },
                { "<car colour='red'><engine/><engine/></car>", "<car>: only one <engine> is possible" },
                { "<car colour='red'><engine power='1001'/></car>", "power='1001' is too much" },
                { "<car colour='red'><wheel/></car>", "<wheel>: @number is missing" },
                { "<car colour='red'><sticker text=''/></car>", "<sticker>: @text='': a text is expected" },
                { "<car colour='red'><car colour='x'/></car>", "@colour='x'" },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = { 0 };
                _cleanup_(car_freep) Car *car = NULL;

                if (car_parse(cases[i].in, 0, &car, &error) >= 0)
                        fail_msg("taken: %s", cases[i].in);
                assert_int_equal(error.code, ERROR_INVALID_XML);
                if (!strstr(error.message, cases[i].message))
                        fail_msg("%s: '%s' lacks '%s'", cases[i].in, error.message, cases[i].message);
        }
}

static void test_flags_choose(void **state)
{
        static const char in[] = "<car colour='red'><owner name='Ann' key='4711'>garage</owner></car>";
        _cleanup_(car_freep) Car *running = car_read(in), *stopped = NULL;

        (void)state;
        assert_writes(
                running, 0,
                "<car colour='red'>\n  <owner name='Ann'>garage</owner>\n  <gears>5</gears>\n</car>\n");
        assert_writes(running, DEFINITION_INACTIVE,
                      "<car colour='red'>\n  <owner name='Ann'/>\n  <gears>5</gears>\n</car>\n");
        assert_writes(running, DEFINITION_INACTIVE | DEFINITION_STATUS,
                      "<car colour='red'>\n  <owner name='Ann' key='4711'>garage</owner>\n"
                      "  <gears>5</gears>\n</car>\n");
        assert_int_equal(car_parse(in, DEFINITION_INACTIVE, &stopped, NULL), 0);
        assert_null(stopped->position);
        assert_string_equal(stopped->key, "4711");
}

static void test_a_copy_is_its_own(void **state)
{
        _cleanup_(car_freep) Car *car = car_read(full);
        _cleanup_(car_freep) Car *copy = struct_copy(&car_type, car);

        (void)state;
        assert_null(struct_copy(&car_type, NULL));
        assert_ptr_not_equal(copy->wheels.items[0], car->wheels.items[0]);
        car = car_free(car);
        assert_writes(copy, DEFINITION_SECURE, full);
}

static void test_lists(void **state)
{
        _cleanup_(car_freep) Car *car = car_read(full);
        Wheel *wheel = struct_new(&wheel_type);
        unsigned sum = 0;

        (void)state;
        wheel->number = 7;
        list_insert(&car->wheels, 0, wheel);
        assert_int_equal(car->wheels.count, 3);
        LIST_FOREACH (one, car->wheels)
                sum += one->number;
        assert_int_equal(sum, 8);
        struct_free(&wheel_type, list_remove(&car->wheels, 2));
        assert_ptr_equal(car->wheels.items[0], wheel);
        assert_int_equal(car->wheels.count, 2);
}

/* The same text with one place changed. */
static Car *changed(const char *from, const char *to)
{
        const char *at = strstr(full, from);

        assert_non_null(at);
        _cleanup_(freep) char *xml =
                g_strdup_printf("%.*s%s%s", (int)(at - full), full, to, at + strlen(from));

        return car_read(xml);
}

static void test_differences_are_named(void **state)
{
        static const struct {
                const char *from, *to, *path, *abi_path;
        } cases[] = {
                { "colour='red'", "colour='red'", NULL, NULL },
                { "sold='yes'", "sold='no'", "sold", "price" }, /* whose price the guest sees */
                { "sold='yes' price='9'", "sold='no'", "sold", "price" },
                { "price='9'", "price='8'", "price", "price" },
                { "Beetle", "Ant", "name", "name" },
                { "Ann", "Bob", "owner", NULL },
                { "<uuid>c", "<uuid>d", "uuid", "uuid" },
                { "52:54:00:12:34:56", "52:54:00:12:34:57", "mac", "mac" },
                { "<doors>0</doors>", "", "doors", "doors" },
                { "<doors>0</doors>", "<doors>2</doors>", "doors", "doors" },
                { "<level>-3", "<level>3", "level", "level" },
                { "0x00ff", "0x00fe", "code", "code" },
                { "<convertible/>", "", "is_convertible", "is_convertible" },
                { "0-3,7", "0-3", "cpus", "cpus" },
                { "<sail>white</sail>", "", "sail", "sail" },
                { "<extra>hook</extra>", "", "extras", "extras" },
                { "written", "spoken", "notes", "notes" },
                { "<engine fuel='diesel' power='90'/>", "", "engine", "engine" },
                { "power='90'", "power='91'", "engine.power", "engine.power" },
                { "petrol", "gas", "spare.fuel", "spare.fuel" },
                { "summer", "winter", "wheels[0].tyre", NULL },
                { "<wheel number='1'/>", "", "wheels[1]", "wheels[1]" },
                { "<wheel number='1'/>", "<wheel number='2'/>", "wheels[1].number", "wheels[1].number" },
                { "<sticker text='hello'/>", "", "stickers[0]", NULL },
                { "<gears>5</gears>", "<gears>6</gears>", "towed.gears", "towed.gears" },
        };
        _cleanup_(car_freep) Car *car = car_read(full);

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(car_freep) Car *other = changed(cases[i].from, cases[i].to);

                for (unsigned abi_only = 0; abi_only < 2; abi_only++) {
                        _cleanup_(freep) char *path = struct_difference(&car_type, car, other, abi_only);
                        _cleanup_(freep) char *back = struct_difference(&car_type, other, car, abi_only);

                        if (g_strcmp0(path, abi_only ? cases[i].abi_path : cases[i].path) != 0)
                                fail_msg("'%s' to '%s': %s", cases[i].from, cases[i].to, path);
                        assert_int_equal(g_strcmp0(path, back), 0);
                }
        }
}

static void test_native_form(void **state)
{
        _cleanup_(car_freep) Car *car =
                car_read("<car colour='red' sold='no'><owner name='Ann' key='4711'/>"
                         "<inside><doors>0</doors></inside><level>-3</level>"
                         "<tank>1024</tank><convertible/><spare power='5'/>"
                         "<extras><extra>radio</extra></extras>"
                         "<wheel number='0'><tyre>old</tyre></wheel><engine/></car>");
        _cleanup_(g_variant_unrefp) GVariant *native = NULL;
        _cleanup_(freep) char *text = NULL;

        (void)state;
        native = g_variant_ref_sink(struct_to_variant(&car_type, car));
        text = g_variant_print(native, TRUE);
        /* The key is a secret. */
        assert_string_equal(text,
                            "{'colour': <'red'>, 'sold': <false>, 'owner': <'Ann'>, 'doors': <uint32 0>, "
                            "'gears': <uint32 5>, 'level': <-3>, 'tank_kib': <uint64 1024>, "
                            "'is_convertible': <true>, 'extras': <['radio']>, "
                            "'engine': <@a{sv} {}>, 'spare': <{'power': <uint32 5>}>, "
                            "'wheels': <[{'number': <uint32 0>, 'tyre': <'old'>}]>}");
}

static int car_from_text(const char *text, Car **ret_car, Error *error)
{
        GVariant *native = g_variant_parse(NULL, text, NULL, NULL, NULL);
        void *car;
        int r;

        assert_non_null(native);
        r = struct_from_variant(&car_type, native, &car, error); /* takes the floating reference */
        g_variant_unref(native);
        if (r >= 0)
                *ret_car = car;
        return r;
}

static void test_native_values_come_back(void **state)
{
        _cleanup_(car_freep) Car *car = car_read(full), *back = NULL;
        _cleanup_(error_clear) Error error = { 0 };
        _cleanup_(freep) char *expected = NULL;
        GVariant *native = struct_to_variant(&car_type, car);
        void *object;

        (void)state;
        if (struct_from_variant(&car_type, native, &object, &error) < 0)
                fail_msg("%s", error.message);
        back = object;
        expected = car_write(car, DEFINITION_INACTIVE);
        assert_writes(back, DEFINITION_INACTIVE, expected);
}

static void test_native_values_of_people(void **state)
{
        static const char *const cases[] = {
                "{'colour': <'red'>, 'doors': <uint32 2>}",
                "{'colour': <'red'>, 'doors': <byte 2>}",
                "{'colour': <'red'>, 'doors': <int64 2>}",
                "{'colour': <'red'>, 'doors': <'2'>}",
                "{'colour': 'red', 'doors': '2'}",
                "{'colour': <<'red'>>, 'doors': <<<uint16 2>>>}",
                "{'colour': <'red'>, 'doors': <2>, 'is_convertible': <false>, 'extras': <@as []>}",
                "{'colour': <'red'>, 'doors': <2>, 'position': <'where it was'>}",
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(car_freep) Car *car = NULL;
                _cleanup_(error_clear) Error error = { 0 };

                if (car_from_text(cases[i], &car, &error) < 0)
                        fail_msg("%s: %s", cases[i], error.message);
                assert_writes(car, 0,
                              "<car colour='red'>\n  <inside>\n    <doors>2</doors>\n  </inside>\n"
                              "  <gears>5</gears>\n</car>\n");
        }
}

static void test_native_lists_of_people(void **state)
{
        static const char *const cases[] = {
                "{'colour': <'red'>, 'wheels': <[{'number': <1>, 'tyre': <'a'>}]>}",
                "{'colour': <'red'>, 'wheels': <[<{'number': <1>, 'tyre': <'a'>}>]>}",
                "{'colour': <'red'>, 'wheels': <[{'number': '1', 'tyre': 'a'}]>}",
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(car_freep) Car *car = NULL;

                assert_int_equal(car_from_text(cases[i], &car, NULL), 0);
                assert_int_equal(car->wheels.count, 1);
                assert_int_equal(car->wheels.items[0]->number, 1);
                assert_string_equal(car->wheels.items[0]->tyre, "a");
        }
}

static void test_wrong_native_values_are_refused(void **state)
{
        static const struct {
                const char *in, *message;
        } cases[] = {
                { "@a{sv} {}", "colour: is missing" },
                { "'red'", "a value of type 's': a dictionary a{sv} is expected" },
                { "{'colour': <'pink'>}", "colour: 'pink': one of red, green, blue expected" },
                { "{'colour': <1>}", "colour: a value of type 'i': a string is expected" },
                { "{'colour': <'red'>, 'collar': <1>}", "collar: there is no such field" },
                { "{'colour': <'red'>, 'colour': <'red'>}", "colour: is given twice" },
                { "{'colour': <'red'>, 'sail': <'x'>}", "sail: does not go with the other fields" },
                { "{'colour': <'red'>, 'sold': <'maybe'>}", "sold: 'maybe': one of yes, no" },
                { "{'colour': <'red'>, 'sold': <1>}", "a boolean is expected" },
                { "{'colour': <'red'>, 'is_convertible': <'yes'>}", "a boolean is expected" },
                { "{'colour': <'red'>, 'doors': <-1>}", "doors: '-1': a positive integer" },
                { "{'colour': <'red'>, 'seats': <256>}", "seats: '256'" },
                { "{'colour': <'red'>, 'level': <uint32 2147483648>}", "level: '2147483648'" },
                { "{'colour': <'red'>, 'tank_kib': <uint64 18446744073709551615>}", "a size is" },
                { "{'colour': <'red'>, 'doors': <2.5>}", "an integer is expected" },
                { "{'colour': <'red'>, 'engine': <'V8'>}", "engine: a value of type 's': a dictionary" },
                { "{'colour': <'red'>, 'engine': <{'power': <1001>}>}",
                  "engine: <engine>: power='1001' is too much" },
                { "{'colour': <'red'>, 'wheels': <{'number': <1>}>}", "wheels[0]: a value of type" },
                { "{'colour': <'red'>, 'wheels': <[{'number': <1>}, {'tyre': <'a'>}]>}",
                  "wheels[1].number: is missing" },
                { "{'colour': <'red'>, 'extras': <['a', 'b\\u0001']>}", "extras[1]: the text has" },
                { "{'colour': <'red'>, 'extras': <[1]>}", "extras[0]: a value of type 'i'" },
                { "{'colour': <'red'>, 'owner': <'\\u0008'>}", "owner: the text has characters" },
                { "{'colour': <'red'>, 'owner': <'\\uffff'>}", "owner: the text has characters" },
                { "{'colour': <'red'>, 'stickers': <[{'text': <''>}]>}", "stickers[0].text: ''" },
                { "{'colour': <'red'>, 'notes': <'<a>'>}", "notes: " },
                { "{'colour': <'red'>, 'notes': <'</notes><notes>'>}", "notes: " },
                { "{'colour': <'red'>, 'notes': <'<!-- '>}", "notes: " },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = { 0 };
                _cleanup_(car_freep) Car *car = NULL;

                if (car_from_text(cases[i].in, &car, &error) >= 0)
                        fail_msg("taken: %s", cases[i].in);
                assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
                if (!strstr(error.message, cases[i].message))
                        fail_msg("%s: '%s' lacks '%s'", cases[i].in, error.message, cases[i].message);
        }
}

/* Containers within each other, variants among them. */
static unsigned depth_of(GVariant *value)
{
        unsigned deepest = 0;

        if (!g_variant_is_container(value))
                return 0;
        for (size_t i = 0; i < g_variant_n_children(value); i++) {
                _cleanup_(g_variant_unrefp) GVariant *child = g_variant_get_child_value(value, i);
                unsigned depth = depth_of(child);

                deepest = MAX(deepest, depth);
        }
        return deepest + 1;
}

static void test_native_depth_is_what_the_bus_takes(void **state)
{
        Car *train = car_read("<car colour='red'/>");
        _cleanup_(g_variant_unrefp) GVariant *native = NULL, *deeper = NULL;
        _cleanup_(error_clear) Error error = { 0 };
        void *object;

        (void)state;
        for (unsigned i = 0; i < 100; i++) {
                Car *front = car_read("<car colour='red'/>");

                front->towed = train;
                train = front;
        }
        native = g_variant_ref_sink(struct_to_variant(&car_type, train));
        assert_in_range(depth_of(native), 40, 52);
        assert_int_equal(struct_from_variant(&car_type, native, &object, NULL), 0);
        struct_free(&car_type, object);

        deeper = g_variant_ref(native);
        for (unsigned i = 0; i < 3; i++) {
                GVariant *outer = g_variant_new_parsed("{'colour': <'red'>, 'towed': <%*>}", deeper);

                g_variant_unref(deeper);
                deeper = g_variant_ref_sink(outer);
        }
        assert_int_equal(struct_from_variant(&car_type, deeper, &object, &error), -EINVAL);
        assert_non_null(strstr(error.message, "too much within each other"));
        car_free(train);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_kind_is_read),
                cmocka_unit_test(test_what_is_read_is_written),
                cmocka_unit_test(test_what_people_write_becomes_canonical),
                cmocka_unit_test(test_wrong_values_are_refused_precisely),
                cmocka_unit_test(test_flags_choose),
                cmocka_unit_test(test_a_copy_is_its_own),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_differences_are_named),
                cmocka_unit_test(test_native_form),
                cmocka_unit_test(test_native_values_come_back),
                cmocka_unit_test(test_native_values_of_people),
                cmocka_unit_test(test_native_lists_of_people),
                cmocka_unit_test(test_wrong_native_values_are_refused),
                cmocka_unit_test(test_native_depth_is_what_the_bus_takes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
