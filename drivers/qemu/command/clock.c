/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <clock>: what the guest's hardware clock says at the start (-rtc), and how its timers catch up with time
 * that it missed. Timers that are properties of the processor are in cpu.c, those of the board in machine.c.
 */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

const ClockTimer *clock_timer(const DomainDefinition *definition, TimerName name)
{
        LIST_FOREACH (timer, definition->clock.timers) {
                if (timer->name == name)
                        return timer;
        }
        return NULL;
}

static void append_moment(GString *text, int64_t seconds, bool is_local)
{
        time_t moment = (time_t)seconds;
        struct tm parts = { 0 };

        if (is_local)
                (void)localtime_r(&moment, &parts); /* cannot fail: callers check the range */
        else
                (void)gmtime_r(&moment, &parts);
        g_string_append_printf(text, "base=%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                               parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

/* Seconds from the beginning of 1970 to that of 10000: QEMU's notation has four digits for the year. */
#define MOMENT_MAX_SEC INT64_C(253402300800)

static int append_variable(const CommandLine *line, GString *text, Error *error)
{
        const DomainClock *clock = &line->definition->clock;
        gint64 adjustment = 0;

        if (clock->adjustment && strcmp(clock->adjustment, "reset") != 0 &&
            !g_ascii_string_to_signed(clock->adjustment, 10, -MOMENT_MAX_SEC, MOMENT_MAX_SEC, &adjustment,
                                      NULL))
                return error_set(error, ERROR_INVALID_XML, "<clock> has no such adjustment: %s",
                                 clock->adjustment);
        adjustment += line->host.now_sec;
        if (adjustment < 0 || adjustment >= MOMENT_MAX_SEC)
                return error_set(error, ERROR_INVALID_XML,
                                 "<clock adjustment='%s'> leads out of the calendar", clock->adjustment);
        append_moment(text, adjustment, clock->basis == CLOCK_BASIS_LOCALTIME);
        return 0;
}

static int append_base(CommandLine *line, GString *text, Error *error)
{
        const DomainClock *clock = &line->definition->clock;

        switch (clock->offset) {
        case CLOCK_OFFSET_ABSENT:
        case CLOCK_UTC:
        case CLOCK_LOCALTIME:
                /* With an adjustment it runs from a moment of its own, as "variable" does. */
                if (clock->adjustment && strcmp(clock->adjustment, "reset") != 0)
                        return append_variable(line, text, error);
                g_string_append(text, clock->offset == CLOCK_LOCALTIME ? "base=localtime" : "base=utc");
                return 0;
        case CLOCK_VARIABLE:
                return append_variable(line, text, error);
        case CLOCK_TIMEZONE:
                if (!clock->timezone)
                        return error_set(error, ERROR_INVALID_XML,
                                         "<clock offset='timezone'> needs a timezone");
                g_ptr_array_add(line->environment, g_strdup_printf("TZ=%s", clock->timezone));
                g_string_append(text, "base=localtime");
                return 0;
        case CLOCK_ABSOLUTE:
                if (clock->start_sec >= MOMENT_MAX_SEC)
                        return error_set(error, ERROR_INVALID_XML,
                                         "<clock start='%" PRIu64 "'> leads out of the calendar",
                                         clock->start_sec);
                append_moment(text, (int64_t)clock->start_sec, false);
                return 0;
        default:
                return device_unsupported(error, "QEMU has no clock of offset '%s'",
                                          clock_offset_to_string(clock->offset));
        }
}

static int unsupported(const ClockTimer *timer, const char *what, Error *error)
{
        return device_unsupported(error, "QEMU cannot do what <timer name='%s'> says of its %s",
                                  timer_name_to_string(timer->name), what);
}

static int append_rtc(const ClockTimer *timer, GString *text, Error *error)
{
        if (!timer)
                return 0;
        if (timer->present == NO)
                return unsupported(timer, "presence", error);
        if (timer->track == TIMER_TRACK_BOOT)
                return unsupported(timer, "track", error);
        if (timer->track == TIMER_TRACK_GUEST)
                g_string_append(text, ",clock=vm");
        else if (timer->track == TIMER_TRACK_REALTIME)
                g_string_append(text, ",clock=rt");
        else if (timer->track == TIMER_TRACK_WALL)
                g_string_append(text, ",clock=host");
        if (timer->tickpolicy == TIMER_CATCHUP)
                g_string_append(text, ",driftfix=slew");
        else if (timer->tickpolicy == TIMER_MERGE || timer->tickpolicy == TIMER_DISCARD)
                return unsupported(timer, "tickpolicy", error);
        return 0;
}

static int add_pit(CommandLine *line, const ClockTimer *timer, Error *error)
{
        bool uses_kvm = machine_uses_kvm(line->definition);

        if (!timer || timer->tickpolicy == TIMER_TICKPOLICY_ABSENT)
                return 0;
        if (timer->tickpolicy == TIMER_MERGE)
                return unsupported(timer, "tickpolicy", error);
        /* Without KVM it discards what it missed, and knows nothing else. */
        if (timer->tickpolicy != TIMER_CATCHUP && uses_kvm)
                command_add_option(line, "-global", "kvm-pit.lost_tick_policy=%s",
                                   timer_tickpolicy_to_string(timer->tickpolicy));
        return 0;
}

/* Timers without options of their own. */
static int check_timer(const ClockTimer *timer, Error *error)
{
        if (timer->name == TIMER_PLATFORM || (timer->name == TIMER_TSC && timer->present == NO))
                return unsupported(timer, "presence", error);
        if (timer->name != TIMER_RTC && timer->track != TIMER_TRACK_ABSENT)
                return unsupported(timer, "track", error);
        if (timer->mode != TIMER_MODE_ABSENT && timer->mode != TIMER_AUTO)
                return unsupported(timer, "mode", error);
        if (timer->catchup_threshold > 0 || timer->catchup_slew > 0 || timer->catchup_limit > 0)
                return unsupported(timer, "catchup", error);
        return 0;
}

int command_clock(CommandLine *line, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        int r;

        LIST_FOREACH (timer, line->definition->clock.timers) {
                r = check_timer(timer, error);
                if (r < 0)
                        return r;
        }
        r = append_base(line, text, error);
        if (r >= 0)
                r = append_rtc(clock_timer(line->definition, TIMER_RTC), text, error);
        if (r < 0)
                return r;
        command_add_option(line, "-rtc", "%s", text->str);
        return add_pit(line, clock_timer(line->definition, TIMER_PIT), error);
}
