/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A QEMU command line while it is put together from a definition. Nothing here touches the host: what has to
 * be opened or made first is noted (PassedFile, PassedSocket), and start.c does it. */

#include "drivers/qemu/json-stream.h"
#include "model/domain.h"
#include <sys/types.h>

/* A file that QEMU uses but the daemon opens, with the owner's rights, for machines that no user owns. */
typedef struct PassedFile {
        char *path;
        bool is_group; /* `path` is the name of a group of files: file-groups.h */
        bool is_writable;
        bool is_direct;   /* O_DIRECT is wanted */
        bool is_device;   /* it is a character device */
        bool is_reopened; /* QEMU opens it a second time by /proc/self/fd: it must be readable for its user
                           */
        bool is_named;    /* QEMU is told the descriptor itself, by command_fd() */
        unsigned fd;      /* its number in QEMU */
        /* of the regular file that was opened to be written to; 0: nothing was, or something else */
        dev_t device;
        ino_t inode;
} PassedFile;

/* A new empty image that the daemon makes for what is written to a transient disk, over the one at `path`.
 */
typedef struct PassedOverlay {
        char *path;
        unsigned fd; /* its number in QEMU */
} PassedOverlay;

/* A socket that QEMU listens on: bound by the daemon in the machine's folder, so that no other user can
 * stand there. */
typedef struct PassedSocket {
        char *path;
        unsigned fd;
} PassedSocket;

/* An interface's taps, or its connection with passt, made by the daemon: numbers `fd` to `fd` + n_queues - 1
 * in QEMU. */
typedef struct PassedTap {
        unsigned index; /* of the interface in the definition */
        unsigned fd, n_queues;
        bool has_header; /* see TapOptions */
} PassedTap;

/* Another process that serves one device of the machine, and which the start starts with it. QEMU is
 * connected with it by a socket. */
typedef enum HelperKind {
        HELPER_TPM,        /* swtpm */
        HELPER_FILESYSTEM, /* virtiofsd */
} HelperKind;

typedef struct PassedHelper {
        HelperKind kind;
        unsigned index; /* of the device among its kind in the definition */
        unsigned fd;    /* QEMU's end */
} PassedHelper;

/* What QEMU is told encrypted, by an argument that the start fills in (secret.h): the value of a secret that
 * is defined elsewhere, or a text of the definition that nobody else is to read. */
typedef struct PassedSecret {
        unsigned argument; /* its place among the arguments */
        char *id;
        const SecretReference *reference; /* of the definition, NULL: it is the text */
        char *text;
        bool is_base64; /* how QEMU wants it: keys of Ceph */
} PassedSecret;

/* What the definition does not say. Borrowed for as long as the line lives. */
typedef struct CommandHost {
        const char *binary;
        const char *folder;        /* of the run: RUN/qemu/domain-UUID */
        const char *memory_folder; /* for memory that is to be in files */
        const char *const
                *scsi_nodes; /* of each <hostdev>: "/dev/sg0"; NULL: it is no SCSI device of the host */
        bool passes_files;   /* see PassedFile; otherwise QEMU opens files by itself */
        bool has_passt;      /* it is installed */
        bool runs;           /* a machine is started by it; otherwise it is only shown */
        bool is_plugged;     /* devices for a machine that runs: descriptors come by its monitor */
        const char
                *cpu_vendor; /* of the processor, as the kernel calls it: "GenuineIntel"; NULL: not known */
        uint64_t version;    /* of QEMU: major * 1000000 + ...; 0: not known */
        int64_t now_sec;     /* the time, for clocks with an offset of their own */
} CommandHost;

/* The key that secrets are encrypted with: the object's name, and the file in the run's folder. */
#define MASTER_KEY_ID   "masterKey0"
#define MASTER_KEY_FILE "master-key.aes"

/* Kinds of devices that <os><boot dev=.../> can name. */
#define BOOT_DEVICES_MAX 4

typedef struct CommandLine {
        const DomainDefinition *definition;
        DomainDefinition *resolved; /* the definition, if it was made for the line; else NULL */
        CommandHost host;
        GPtrArray *arguments;   /* of char * */
        GPtrArray *environment; /* of char *: "TZ=Europe/Rome" */
        GPtrArray *files;       /* of PassedFile * */
        GPtrArray *overlays;    /* of PassedOverlay * */
        GPtrArray *sockets;     /* of PassedSocket *; the first is the monitor's */
        GPtrArray *taps;        /* of PassedTap * */
        GPtrArray *secrets;     /* of PassedSecret * */
        GPtrArray *helpers;     /* of PassedHelper * */
        unsigned next_fd;
        const DeviceInfo
                *boots[BOOT_DEVICES_MAX]; /* of <os><boot>: the first of its kind; NULL: there is none */
        unsigned n_boots;
} CommandLine;

CommandLine *command_line_new(const DomainDefinition *definition, const CommandHost *host);
CommandLine *command_line_free(CommandLine *line);
DEFINE_CLEANUP(CommandLine, command_line_free)

/* One argument as it is. */
void command_add(CommandLine *line, const char *argument);
/* OPTION and a value in QEMU's old notation: the value is formatted, its parts must have gone through
 * command_escape() if they are not ours. */
void command_add_option(CommandLine *line, const char *option, const char *format, ...) _printf_(3, 4);
/* OPTION and a JSON document, which is taken over. */
void command_add_json(CommandLine *line, const char *option, json_t *value);
/* Doubles commas; the caller frees. */
char *command_escape(const char *text);

/* What to write where QEMU is to open this file: the path, or /dev/fdset/N. The caller frees. */
char *command_file(CommandLine *line, const char *path, bool is_writable, bool is_direct);
/* The same for a group of files that the caller of the machine has opened. */
char *command_group(CommandLine *line, const char *group, bool is_writable);
/* What to write for an overlay. The caller frees. */
char *command_overlay(CommandLine *line, const char *path);
/* The same as command_file() for what QEMU opens with fopen() and reads as a whole (kernel, initrd ...). */
char *command_whole_file(CommandLine *line, const char *path);
/* The same for a character device that QEMU opens. */
char *command_device_file(CommandLine *line, const char *path);
/* The number of a character device for what takes no path. The caller frees. */
char *command_descriptor(CommandLine *line, const char *path);
/* A -chardev of that name, at whose other end the helper of the device is. */
void command_helper(CommandLine *line, HelperKind kind, unsigned index, const char *id, const char *alias);
/* How QEMU is told a descriptor: by its number, or, where it comes by the monitor, by a name ("fd7"), which
 * must not be a number. The caller frees. */
char *command_fd(const CommandLine *line, unsigned fd);
/* A listening socket's number in QEMU. */
unsigned command_socket(CommandLine *line, const char *path);
/* An object of that name which holds the secret. `reference` is the definition's. */
void command_secret(CommandLine *line, const char *id, const SecretReference *reference, bool is_base64);
/* The same for a text of the definition's. */
void command_secret_text(CommandLine *line, const char *id, const char *text);
/* The first of the interface's n_queues taps: its number in QEMU. */
unsigned command_taps(CommandLine *line, unsigned index, unsigned n_queues, bool has_header);

/* JSON members; a NULL string, an absent choice or a 0 leaves the member out. */
void json_set_string(json_t *object, const char *key, const char *value);
void json_set_number(json_t *object, const char *key, uint64_t value);
void json_set_bool(json_t *object, const char *key, bool value);
void json_set_on_off(json_t *object, const char *key, OnOff value);      /* true or false */
void json_set_on_off_word(json_t *object, const char *key, OnOff value); /* "on" or "off" */
