/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* model FILE...: what a machine's definition costs. Each document is read, completed and written many times;
 * the figures of the one nearest to 5 KB are shown, then those of all. Documents that are refused count with
 * the time it takes to refuse them. */

#include "model/domain.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS 1000
#define USUAL  5000

typedef struct Document {
        char *text;
        gsize size;
} Document;

static double now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static DomainDefinition *read_one(const Document *document)
{
        DomainDefinition *definition = NULL;

        (void)domain_definition_parse(document->text, document->size, DEFINITION_INACTIVE, &definition,
                                      NULL);
        return definition;
}

static void measure_one(const Document *document)
{
        DomainDefinition *kept[ROUNDS];
        double start = now_usec(), read_usec, complete_usec, write_usec, copy_usec;
        size_t before;

        for (unsigned i = 0; i < ROUNDS; i++)
                domain_definition_free(read_one(document));
        read_usec = now_usec() - start;
        before = mallinfo2().uordblks;
        for (unsigned i = 0; i < ROUNDS; i++)
                kept[i] = read_one(document);
        start = now_usec();
        for (unsigned i = 0; i < ROUNDS; i++)
                (void)domain_definition_complete(kept[i], NULL);
        complete_usec = now_usec() - start;
        printf("document                 %7zu bytes\n", (size_t)document->size);
        printf("memory of it, completed  %7zu bytes\n", (mallinfo2().uordblks - before) / ROUNDS);
        start = now_usec();
        for (unsigned i = 0; i < ROUNDS; i++)
                g_free(domain_definition_format(kept[i], DEFINITION_INACTIVE));
        write_usec = now_usec() - start;
        start = now_usec();
        for (unsigned i = 0; i < ROUNDS; i++)
                domain_definition_free(domain_definition_copy(kept[i]));
        copy_usec = now_usec() - start;
        for (unsigned i = 0; i < ROUNDS; i++)
                domain_definition_free(kept[i]);
        printf("read                     %7.1f us\n", read_usec / ROUNDS);
        printf("complete                 %7.1f us\n", complete_usec / ROUNDS);
        printf("write                    %7.1f us\n", write_usec / ROUNDS);
        printf("copy and free            %7.1f us\n", copy_usec / ROUNDS);
}

static void measure_all(const Document *documents, unsigned count)
{
        double start = now_usec();
        unsigned n_taken = 0;
        gsize size = 0;

        for (unsigned i = 0; i < count; i++) {
                DomainDefinition *definition = read_one(&documents[i]);

                size += documents[i].size;
                if (definition && domain_definition_complete(definition, NULL) >= 0) {
                        g_free(domain_definition_format(definition, DEFINITION_INACTIVE));
                        n_taken++;
                }
                domain_definition_free(definition);
        }
        printf("all %u (%zu KB, %u taken), read, completed and written: %.1f ms\n", count,
               (size_t)size / 1000, n_taken, (now_usec() - start) / 1000);
}

int main(int argc, char **argv)
{
        g_autofree Document *documents = g_new0(Document, (gsize)argc);
        const Document *usual = &documents[0];
        unsigned count = 0;

        for (int i = 1; i < argc; i++)
                if (g_file_get_contents(argv[i], &documents[count].text, &documents[count].size, NULL))
                        count++;
        for (unsigned i = 0; i < count; i++)
                if (ABS((gssize)documents[i].size - USUAL) < ABS((gssize)usual->size - USUAL))
                        usual = &documents[i];
        if (count == 0) {
                fprintf(stderr, "usage: model FILE...\n");
                return 2;
        }
        measure_one(usual);
        measure_all(documents, count);
        for (unsigned i = 0; i < count; i++)
                g_free(documents[i].text);
        return 0;
}
