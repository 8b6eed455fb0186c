/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An algorithm is a list of passes, each a pattern of up to three bytes or random numbers; some read back at
 * the end what the last pass wrote. What is not allocated is left so: there is nothing to overwrite. */

#include "drivers/storage/wipe.h"
#include "core/fiber.h"
#include "core/worker.h"
#include "drivers/storage/device.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#define STEP_BYTES    (64 * 1024 * 1024)
#define BLOCK_BYTES   (768 * 1024) /* three bytes fit without a rest */
#define PASSES_MAX    36
#define PATTERN_BYTES 3

typedef enum PassKind { PASS_END, PASS_PATTERN, PASS_RANDOM, PASS_CHECK } PassKind;

typedef struct Pass {
        PassKind kind;
        uint8_t bytes[PATTERN_BYTES];
} Pass;

#define RANDOM                                                                                              \
        {                                                                                                   \
                PASS_RANDOM,                                                                                \
                {                                                                                           \
                }                                                                                           \
        }
#define CHECK                                                                                               \
        {                                                                                                   \
                PASS_CHECK,                                                                                 \
                {                                                                                           \
                }                                                                                           \
        }
#define BYTE(b)                                                                                             \
        {                                                                                                   \
                PASS_PATTERN,                                                                               \
                {                                                                                           \
                        b, b, b                                                                             \
                }                                                                                           \
        }
#define BYTES(a, b, c)                                                                                      \
        {                                                                                                   \
                PASS_PATTERN,                                                                               \
                {                                                                                           \
                        a, b, c                                                                             \
                }                                                                                           \
        }

static const Pass algorithms[_WIPE_MAX][PASSES_MAX] = {
        [WIPE_ZERO] = { BYTE(0) },
        [WIPE_NNSA] = { RANDOM, RANDOM, BYTE(0), CHECK },
        [WIPE_DOD] = { RANDOM, BYTE(0), BYTE(0xff), CHECK },
        [WIPE_BSI] = { BYTE(0xff), BYTE(0xfe), BYTE(0xfd), BYTE(0xfb), BYTE(0xf7), BYTE(0xef), BYTE(0xdf),
                       BYTE(0xbf), BYTE(0x7f) },
        [WIPE_GUTMANN] = { RANDOM,
                           RANDOM,
                           RANDOM,
                           RANDOM,
                           BYTE(0x55),
                           BYTE(0xaa),
                           BYTES(0x92, 0x49, 0x24),
                           BYTES(0x49, 0x24, 0x92),
                           BYTES(0x24, 0x92, 0x49),
                           BYTE(0x00),
                           BYTE(0x11),
                           BYTE(0x22),
                           BYTE(0x33),
                           BYTE(0x44),
                           BYTE(0x55),
                           BYTE(0x66),
                           BYTE(0x77),
                           BYTE(0x88),
                           BYTE(0x99),
                           BYTE(0xaa),
                           BYTE(0xbb),
                           BYTE(0xcc),
                           BYTE(0xdd),
                           BYTE(0xee),
                           BYTE(0xff),
                           BYTES(0x92, 0x49, 0x24),
                           BYTES(0x49, 0x24, 0x92),
                           BYTES(0x24, 0x92, 0x49),
                           BYTES(0x6d, 0xb6, 0xdb),
                           BYTES(0xb6, 0xdb, 0x6d),
                           BYTES(0xdb, 0x6d, 0xb6),
                           RANDOM,
                           RANDOM,
                           RANDOM,
                           RANDOM },
        [WIPE_SCHNEIER] = { BYTE(0), BYTE(0xff), RANDOM, RANDOM, RANDOM, RANDOM, RANDOM },
        [WIPE_PFITZNER7] = { RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM },
        [WIPE_PFITZNER33] = { RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM,
                              RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM,
                              RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM,
                              RANDOM, RANDOM, RANDOM, RANDOM, RANDOM, RANDOM },
        [WIPE_RANDOM] = { RANDOM },
};

typedef struct Step {
        int (*function)(struct Step *step); /* 1: there is more */
        int file;
        const Pass *pass;
        off_t offset;
        uint8_t *block, *read;
} Step;

static void fill(const Pass *pass, uint8_t *block)
{
        for (size_t i = 0; i < BLOCK_BYTES; i++)
                block[i] = pass->bytes[i % PATTERN_BYTES];
}

static int fill_random(uint8_t *block)
{
        for (size_t done = 0; done < BLOCK_BYTES;) {
                ssize_t n = getrandom(block + done, BLOCK_BYTES - done, 0);

                if (n < 0 && errno != EINTR)
                        return -errno;
                done += n > 0 ? (size_t)n : 0;
        }
        return 0;
}

static int do_block(const Step *step, size_t size)
{
        ssize_t n;
        int r = step->pass->kind == PASS_RANDOM ? fill_random(step->block) : 0;

        if (r < 0)
                return r;
        if (step->pass->kind != PASS_CHECK) {
                n = pwrite(step->file, step->block, size, step->offset);
                return n < 0 ? -errno : (int)n;
        }
        n = pread(step->file, step->read, size, step->offset);
        if (n <= 0)
                return n < 0 ? -errno : -EIO;
        return memcmp(step->block, step->read, (size_t)n) == 0 ? (int)n : -EIO;
}

/* Begins a block where the pattern begins. */
static int do_extent(Step *step, off_t to)
{
        while (step->offset < to) {
                size_t shift = (size_t)(step->offset % BLOCK_BYTES);
                int n = do_block(step, (size_t)MIN(BLOCK_BYTES - (off_t)shift, to - step->offset));

                if (n < 0)
                        return n;
                step->offset += n;
        }
        return 0;
}

/* What is allocated from `offset` on; 0: nothing is. Devices have no holes. */
static int find_data(int file, off_t offset, off_t *ret_from, off_t *ret_to)
{
        struct stat stat;
        int r = device_stat(file, &stat);

        if (r < 0)
                return r;
        *ret_from = offset;
        *ret_to = stat.st_size;
        if (S_ISBLK(stat.st_mode))
                return offset < stat.st_size;
        *ret_from = lseek(file, offset, SEEK_DATA);
        if (*ret_from < 0)
                return errno == ENXIO ? 0 : -errno;
        *ret_to = lseek(file, *ret_from, SEEK_HOLE);
        return *ret_to < 0 ? -errno : 1;
}

static int pass_step(Step *step)
{
        off_t from, to;
        int r = find_data(step->file, step->offset, &from, &to);

        if (r < 0)
                return r;
        if (r == 0)
                return fsync(step->file) < 0 ? -errno : 0;
        step->offset = from;
        r = do_extent(step, MIN(to, from + STEP_BYTES));
        return r < 0 ? r : 1;
}

static int trim_step(Step *step)
{
        struct stat stat;
        int r = device_stat(step->file, &stat);

        if (r < 0)
                return r;
        if (S_ISBLK(stat.st_mode))
                return ioctl(step->file, BLKDISCARD, &(uint64_t[]){ 0, (uint64_t)stat.st_size }) < 0 ? -errno
                                                                                                     : 0;
        /* Whole blocks go, so the end is one's. */
        if (stat.st_size > 0 && fallocate(step->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                                          stat.st_size + stat.st_blksize) < 0)
                return -errno;
        return fsync(step->file) < 0 ? -errno : 0;
}

static int run_step(void *data)
{
        Step *step = data;

        return step->function(step);
}

static int run(Step *step, const char *name, Error *error) AWAITS
{
        int r = fiber_current() ? worker_finish(run_step, step) : run_step(step);

        return r < 0 ? error_set_errno(error, r, "Cannot overwrite '%s'", name) : r;
}

static int run_pass(Step *step, const char *name, uint64_t done, uint64_t size, uint64_t total, Job *job,
                    Error *error) AWAITS
{
        int r;

        if (step->pass->kind == PASS_PATTERN)
                fill(step->pass, step->block);
        if (step->pass->kind == PASS_CHECK)
                (void)posix_fadvise(step->file, 0, 0, POSIX_FADV_DONTNEED); /* what is on the storage */
        do {
                r = run(step, name, error);
                if (job)
                        job_set_progress(job, done + MIN((uint64_t)step->offset, size), total);
                if (r > 0 && fiber_current() && fiber_is_cancelled(fiber_current()))
                        r = error_set(
                                error, ERROR_CANCELLED,
                                "The volume '%s' is overwritten up to byte %lld, then this was cancelled",
                                name, (long long)step->offset);
        } while (r > 0);
        return r;
}

int wipe_file(int file, const char *name, WipeAlgorithm algorithm, Job *job, Error *error)
{
        _cleanup_(freep) uint8_t *block = g_malloc(BLOCK_BYTES), *read = g_malloc(BLOCK_BYTES);
        Step step = { .function = pass_step, .file = file, .block = block, .read = read };
        const Pass *passes = algorithms[algorithm];
        uint64_t n_passes = 0, size;
        struct stat stat;
        int r = device_stat(file, &stat);

        if (r < 0)
                return error_set_errno(error, r, "Cannot overwrite '%s'", name);
        size = (uint64_t)stat.st_size;
        if (algorithm == WIPE_TRIM) {
                step.function = trim_step;
                return run(&step, name, error);
        }
        while (passes[n_passes].kind != PASS_END)
                n_passes++;
        for (uint64_t i = 0; r >= 0 && i < n_passes; i++) {
                step.pass = &passes[i];
                step.offset = 0;
                r = run_pass(&step, name, i * size, size, n_passes * size, job, error);
        }
        return r;
}
