/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stackful coroutines. A fiber is entered by switch_to() from whoever starts it or from the run queue, and
 * goes back there when it suspends or ends. Stacks are mapped once and used again. Sanitizers and valgrind
 * are told of every stack and switch, or they would see wild accesses. */

#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include <errno.h>
#include <sys/mman.h>
#include <ucontext.h>

#if VIRTBUS_VALGRIND
#include <valgrind/valgrind.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define WITH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define WITH_TSAN 1
#endif

/* Most use 12 KiB; with AddressSanitizer, whose frames are far larger, 250 were seen. */
#ifdef WITH_ASAN
#define STACK_SIZE ((size_t)1024 * 1024)
#else
#define STACK_SIZE ((size_t)256 * 1024)
#endif
#define STACKS_KEPT 64 /* idle stacks that keep their memory */

typedef struct Stack {
        char *mapping; /* the guard page is its first */
        struct Stack *next;
#if VIRTBUS_VALGRIND
        unsigned valgrind_id;
#endif
} Stack;

struct Fiber {
        const char *name;
        unsigned refs;
        FiberFunction function;
        void *data;
        ucontext_t context;
        ucontext_t *resumer; /* whose switch_to() runs us */
        Fiber *parent;       /* the fiber that runs the resumer, or NULL for the loop's stack */
        Stack *stack;
        bool is_queued, is_done, is_cancelled;
        Fiber *next_alive, *previous_alive; /* for gdb */
        void *fake_stack;
        void *tsan;
};

static Fiber *current;
static Fiber *alive; /* read by tests/gdb/fibers.py */
static unsigned n_alive;
static Stack *idle_stacks;
static unsigned n_idle_stacks;
static GQueue run_queue = G_QUEUE_INIT; /* of counted Fiber */
static sd_event_source *run_source;
#if WITH_ASAN
static const void *loop_stack; /* bounds of the loop's own stack */
static size_t loop_stack_size;
#endif
#if WITH_TSAN
static void *loop_tsan;
#endif

static size_t guard_size(void)
{
        return (size_t)sysconf(_SC_PAGESIZE);
}

static Stack *stack_pop(void)
{
        Stack *stack = idle_stacks;

        idle_stacks = stack->next;
        n_idle_stacks--;
        return stack;
}

static void stack_unmap(Stack *stack)
{
#if VIRTBUS_VALGRIND
        VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#endif
        (void)munmap(stack->mapping, STACK_SIZE + guard_size()); /* our own mapping */
        g_free(stack);
}

static Stack *stack_take(void)
{
        if (idle_stacks)
                return stack_pop();

        Stack *stack;
        size_t size = STACK_SIZE + guard_size();
        char *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

        if (mapping == MAP_FAILED)
                return NULL;
        if (mprotect(mapping, guard_size(), PROT_NONE) < 0) {
                (void)munmap(mapping, size);
                return NULL;
        }
        stack = g_new0(Stack, 1);
        stack->mapping = mapping;
#if VIRTBUS_VALGRIND
        stack->valgrind_id = VALGRIND_STACK_REGISTER(mapping + guard_size(), mapping + size);
#endif
        return stack;
}

static void stack_give_back(Stack *stack)
{
        if (n_idle_stacks >= STACKS_KEPT) {
                stack_unmap(stack);
                return;
        }
#if WITH_ASAN
        __asan_unpoison_memory_region(stack->mapping + guard_size(), STACK_SIZE);
#endif
        stack->next = idle_stacks;
        idle_stacks = stack;
        n_idle_stacks++;
}

Fiber *fiber_current(void)
{
        return current;
}

unsigned fiber_count(void)
{
        return n_alive;
}

Fiber *fiber_ref(Fiber *fiber)
{
        fiber->refs++;
        return fiber;
}

Fiber *fiber_unref(Fiber *fiber)
{
        if (fiber && --fiber->refs == 0)
                g_free(fiber);
        return NULL;
}

/* First code on a new stack, and last: it never returns. */
static void fiber_main(void)
{
        Fiber *self = current;

#if WITH_ASAN
        const void *stack;
        size_t size;

        __sanitizer_finish_switch_fiber(NULL, &stack, &size);
        if (!self->parent) {
                loop_stack = stack;
                loop_stack_size = size;
        }
#endif
        self->function(self->data);
        self->is_done = true;
        for (;;)
                fiber_suspend(); /* a done fiber is not woken: the first switch away is the last */
}

void fiber_suspend(void)
{
        Fiber *self = current;

        g_assert(self);
#if WITH_ASAN
        const void *bottom = loop_stack;
        size_t size = loop_stack_size;

        if (self->parent) {
                bottom = self->parent->stack->mapping + guard_size();
                size = STACK_SIZE;
        }
        __sanitizer_start_switch_fiber(self->is_done ? NULL : &self->fake_stack, bottom, size);
#endif
#if WITH_TSAN
        __tsan_switch_to_fiber(self->parent ? self->parent->tsan : loop_tsan, 0);
#endif
        current = self->parent;
        (void)swapcontext(&self->context, self->resumer); /* fails only without memory for signal masks */
        current = self;
#if WITH_ASAN
        const void *old;
        size_t old_size;

        __sanitizer_finish_switch_fiber(self->fake_stack, &old, &old_size);
#endif
}

/* Runs the fiber until it suspends or ends. */
static void switch_to(Fiber *fiber)
{
        ucontext_t here;

        fiber->parent = current;
        fiber->resumer = &here;
#if WITH_ASAN
        void *fake_stack = NULL;

        __sanitizer_start_switch_fiber(&fake_stack, fiber->stack->mapping + guard_size(), STACK_SIZE);
#endif
#if WITH_TSAN
        if (!loop_tsan)
                loop_tsan = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(fiber->tsan, 0);
#endif
        Fiber *previous = current;

        current = fiber;
        (void)swapcontext(&here, &fiber->context);
        current = previous;
#if WITH_ASAN
        const void *stack;
        size_t size;

        __sanitizer_finish_switch_fiber(fake_stack, &stack, &size);
#endif
}

static void link_alive(Fiber *fiber)
{
        fiber->next_alive = alive;
        if (alive)
                alive->previous_alive = fiber;
        alive = fiber;
        n_alive++;
}

static void unlink_alive(Fiber *fiber)
{
        if (fiber->previous_alive)
                fiber->previous_alive->next_alive = fiber->next_alive;
        else
                alive = fiber->next_alive;
        if (fiber->next_alive)
                fiber->next_alive->previous_alive = fiber->previous_alive;
        n_alive--;
}

static void fiber_end(Fiber *fiber)
{
        stack_give_back(TAKE_PTR(fiber->stack));
#if WITH_TSAN
        __tsan_destroy_fiber(fiber->tsan);
#endif
        unlink_alive(fiber);
        fiber_unref(fiber);
}

/* Enters the fiber, and buries it if that was its last slice. */
static void fiber_run(Fiber *fiber)
{
        uint64_t started_usec = loop_now_usec();

        switch_to(fiber);
#if VIRTBUS_WATCHDOG
        uint64_t taken_usec = loop_now_usec() - started_usec;

        if (taken_usec > LOOP_SLICE_MAX_USEC)
                log_warning(NULL, "fiber %s kept the loop for %" PRIu64 " us", fiber->name, taken_usec);
#else
        (void)started_usec; /* only the watchdog looks */
#endif
        if (fiber->is_done)
                fiber_end(fiber);
}

int fiber_start(const char *name, FiberFunction function, void *data)
{
        if (n_alive >= FIBERS_MAX)
                return -EAGAIN;

        Stack *stack = stack_take();

        if (!stack)
                return -EAGAIN;

        Fiber *fiber = g_new0(Fiber, 1);

        *fiber = (Fiber){ .name = name, .refs = 1, .function = function, .data = data, .stack = stack };
        (void)getcontext(&fiber->context); /* cannot fail on Linux */
        fiber->context.uc_stack.ss_sp = stack->mapping + guard_size();
        fiber->context.uc_stack.ss_size = STACK_SIZE;
        makecontext(&fiber->context, fiber_main, 0);
#if WITH_TSAN
        fiber->tsan = __tsan_create_fiber(0);
#endif
        link_alive(fiber);
        fiber_run(fiber);
        return 0;
}

static int run_queued(sd_event_source *source, void *data _unused_)
{
        /* Those woken meanwhile run in the next round: a pair that wakes each other must not keep the loop.
         */
        for (unsigned n = g_queue_get_length(&run_queue); n > 0; n--) {
                Fiber *fiber = g_queue_pop_head(&run_queue);

                fiber->is_queued = false;
                if (!fiber->is_done)
                        fiber_run(fiber);
                fiber_unref(fiber);
        }
        if (g_queue_is_empty(&run_queue))
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
}

void fiber_wake(Fiber *fiber)
{
        if (fiber->is_done || fiber->is_queued)
                return;
        if (!run_source) {
                g_assert(sd_event_add_defer(loop_get(), &run_source, run_queued, NULL) >= 0);
                g_assert(sd_event_source_set_priority(run_source, LOOP_PRIORITY_FIBER) >= 0);
        }
        fiber->is_queued = true;
        g_queue_push_tail(&run_queue, fiber_ref(fiber));
        g_assert(sd_event_source_set_enabled(run_source, SD_EVENT_ON) >= 0);
}

void fiber_cancel(Fiber *fiber)
{
        fiber->is_cancelled = true;
        if (fiber != current)
                fiber_wake(fiber);
}

void fiber_cancel_all(void)
{
        for (Fiber *fiber = alive; fiber; fiber = fiber->next_alive)
                if (fiber != current)
                        fiber_cancel(fiber); /* only queues it: the list does not change */
}

bool fiber_is_cancelled(const Fiber *fiber)
{
        return fiber->is_cancelled;
}

void fiber_clear_cancel(void)
{
        g_assert(current);
        current->is_cancelled = false;
}

void fiber_close(void)
{
        g_assert(n_alive == 0);
        while (!g_queue_is_empty(&run_queue))
                fiber_unref(g_queue_pop_head(&run_queue));
        run_source = sd_event_source_disable_unref(run_source);
        while (idle_stacks)
                stack_unmap(stack_pop());
}
