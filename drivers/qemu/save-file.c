/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The header is one block; the definition follows it with room for another one, and QEMU's stream begins on
 * a boundary of 64 KiB. Who can write the file can make a machine of it that is the owner's like any other:
 * what is checked here finds damage, not malice. */

#include "drivers/qemu/save-file.h"
#include "core/worker.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAGIC        "virtbus saved machine\n"
#define VERSION      1u
#define HEADER_BYTES 4096u
#define ALIGNMENT    (64u * 1024)
#define XML_ROOM     (32u * 1024)
#define XML_MAX      (16u * 1024 * 1024)

/* As it is in the file, little-endian as all that QEMU runs on here with KVM or TCG of its own. */
typedef struct Header {
        char magic[32];
        uint32_t version;
        uint32_t is_complete;
        uint32_t is_running;
        uint32_t xml_size;
        uint64_t offset;
        uint8_t checksum[32]; /* SHA-256 of the definition */
        uint64_t xml_at;      /* where it is; 0: behind the header */
} Header;

typedef enum Step { STEP_BEGIN, STEP_FINISH, STEP_READ, STEP_REPLACE } Step;

/* Everything in it is its own but the descriptor, which its caller keeps until the end. */
typedef struct Task {
        Step step;
        int fd;
        char *xml;
        bool is_running;
        uint64_t offset;
        Error error;
} Task;

void save_file_clear(SaveFile *file)
{
        g_free(file->xml);
        *file = (SaveFile){};
}

/* The only place that says so. */
static int wrong(Task *task, const char *problem)
{
        (void)error_set(&task->error, ERROR_OPERATION_FAILED, "%s", problem);
        return SAVE_FILE_WRONG;
}

static int write_at(Task *task, const void *data, size_t size, off_t offset)
{
        const char *bytes = data;

        while (size > 0) {
                ssize_t n = pwrite(task->fd, bytes, size, offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(&task->error, errno, "Cannot write the file");
                bytes += n;
                size -= (size_t)n;
                offset += n;
        }
        return 0;
}

static int read_at(Task *task, void *data, size_t size, off_t offset)
{
        char *bytes = data;

        while (size > 0) {
                ssize_t n = pread(task->fd, bytes, size, offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(&task->error, errno, "Cannot read the file");
                if (n == 0)
                        return wrong(task, "The file is cut off");
                bytes += n;
                size -= (size_t)n;
                offset += n;
        }
        return 0;
}

static void checksum(const char *xml, size_t size, uint8_t ret_sum[32])
{
        GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
        gsize length = 32;

        g_checksum_update(sum, (const guchar *)xml, (gssize)size);
        g_checksum_get_digest(sum, ret_sum, &length);
        g_checksum_free(sum);
}

static uint64_t place_of(const Header *header)
{
        return header->xml_at > 0 ? header->xml_at : HEADER_BYTES;
}

/* The definition is where nothing is yet, and on the disk, before the header says so. */
static int write_header(Task *task, uint64_t offset, uint64_t xml_at, bool is_complete)
{
        const size_t size = strlen(task->xml);
        Header header = { .magic = MAGIC,
                          .version = VERSION,
                          .is_complete = is_complete,
                          .is_running = task->is_running,
                          .xml_size = (uint32_t)size,
                          .offset = offset,
                          .xml_at = xml_at };
        int r;

        if (size > XML_MAX || xml_at + size > offset)
                return error_set(&task->error, ERROR_LIMITS_EXCEEDED,
                                 "The definition has %zu bytes, more than there is room for", size);
        checksum(task->xml, size, header.checksum);
        r = write_at(task, task->xml, size, (off_t)xml_at);
        if (r >= 0 && fsync(task->fd) < 0)
                r = error_set_errno(&task->error, errno, "Cannot sync the file");
        return r < 0 ? r : write_at(task, &header, sizeof header, 0);
}

static int read_header(Task *task, Header *header)
{
        int r = read_at(task, header, sizeof *header, 0);

        if (r < 0)
                return r;
        if (strncmp(header->magic, MAGIC, sizeof header->magic) != 0)
                return wrong(task, "It is no saved machine of this program");
        if (header->version != VERSION)
                return error_set(&task->error, ERROR_NOT_SUPPORTED,
                                 "It is a saved machine of version %u, version %u is known", header->version,
                                 VERSION);
        if (!header->is_complete)
                return wrong(task, "It was not finished: the machine's memory is not in it");
        if (header->xml_size > XML_MAX || header->offset % ALIGNMENT != 0 ||
            header->offset > 3ull * XML_MAX || place_of(header) < HEADER_BYTES ||
            place_of(header) > header->offset || header->xml_size > header->offset - place_of(header))
                return wrong(task, "It is damaged: its sizes cannot be");
        return 0;
}

static int read_all(Task *task)
{
        uint8_t sum[32];
        Header header;
        int r = read_header(task, &header);

        if (r < 0)
                return r;
        task->xml = g_malloc(header.xml_size + 1);
        r = read_at(task, task->xml, header.xml_size, (off_t)place_of(&header));
        if (r < 0)
                return r;
        task->xml[header.xml_size] = '\0';
        checksum(task->xml, header.xml_size, sum);
        if (memcmp(sum, header.checksum, sizeof sum) != 0 || strlen(task->xml) != header.xml_size)
                return wrong(task, "It is damaged: the definition in it is not the one that was written");
        task->is_running = header.is_running;
        task->offset = header.offset;
        return 0;
}

/* Beside the definition that is there, which counts until the header says otherwise. */
static uint64_t free_place(const Header *header, size_t size)
{
        return HEADER_BYTES + size <= place_of(header) ? HEADER_BYTES : place_of(header) + header->xml_size;
}

static int step(void *data)
{
        Task *task = data;
        uint32_t yes = 1;
        Header header;
        int r;

        switch (task->step) {
        case STEP_BEGIN:
                task->offset = HEADER_BYTES + 2 * strlen(task->xml) + XML_ROOM;
                task->offset = (task->offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
                r = write_header(task, task->offset, HEADER_BYTES, false);
                break;
        case STEP_FINISH:
                r = fsync(task->fd) < 0 ? error_set_errno(&task->error, errno, "Cannot sync the file") : 0;
                if (r >= 0)
                        r = write_at(task, &yes, sizeof yes, offsetof(Header, is_complete));
                break;
        case STEP_REPLACE:
                r = read_header(task, &header);
                if (r >= 0)
                        r = write_header(task, header.offset, free_place(&header, strlen(task->xml)), true);
                break;
        default:
                r = read_all(task);
                break;
        }
        if (r >= 0 && task->step != STEP_READ && task->step != STEP_BEGIN && fsync(task->fd) < 0)
                r = error_set_errno(&task->error, errno, "Cannot sync the file");
        if (r >= 0 && task->offset > 0 && lseek(task->fd, (off_t)task->offset, SEEK_SET) < 0)
                r = error_set_errno(&task->error, errno, "Cannot go on in the file");
        return r;
}

/* Files here are local or are given up by their servers: nothing may use the descriptor afterwards. */
static int run(Task *task, Error *error) AWAITS
{
        int r = worker_finish(step, task);

        if (r < 0 && error_is_set(&task->error))
                error_move(error, &task->error);
        else if (r < 0)
                (void)error_set_errno(error, r, "Cannot work on the file");
        return r;
}

int save_file_begin(int fd, const char *xml, bool is_running, Error *error)
{
        Task task = { .step = STEP_BEGIN, .fd = fd, .xml = (char *)xml, .is_running = is_running };

        return run(&task, error);
}

int save_file_finish(int fd, Error *error)
{
        return run(&(Task){ .step = STEP_FINISH, .fd = fd }, error);
}

int save_file_replace(int fd, const char *xml, bool is_running, Error *error)
{
        Task task = { .step = STEP_REPLACE, .fd = fd, .xml = (char *)xml, .is_running = is_running };

        return run(&task, error);
}

int save_file_read(int fd, SaveFile *ret_file, Error *error)
{
        Task task = { .step = STEP_READ, .fd = fd };
        int r = run(&task, error);

        if (r < 0) {
                g_free(task.xml);
                return r;
        }
        *ret_file = (SaveFile){ .xml = task.xml, .is_running = task.is_running, .offset = task.offset };
        return 0;
}
