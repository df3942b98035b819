#include "deploy/demo/traffic/traffic.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int service_find(const struct setup *setup, const char *name)
{
    for (int i = 0; i < setup->service_count; i++) {
        if (strcmp(setup->services[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool books_read(json_t *books, struct setup *setup)
{
    size_t index;
    json_t *item;
    json_array_foreach(books, index, item) {
        struct book *book = &setup->books[setup->book_count];
        const char *service = NULL;
        json_int_t rows = 0;
        if (setup->book_count == MAX_BOOKS ||
            json_unpack(item, "{s:s, s:s, s:s, s:I}", "service", &service, "table", &book->table,
                        "number", &book->number, "rows", &rows) != 0) {
            return false;
        }
        book->rows = rows;
        book->service = service_find(setup, service);
        if (book->service < 0) {
            return false;
        }
        setup->book_count++;
    }
    return setup->book_count > 0;
}

/* users first: the transactions name it by its index */
static bool services_read(json_t *services, struct setup *setup)
{
    const char *users = json_string_value(json_object_get(services, "users"));
    if (users == NULL) {
        return false;
    }
    setup->services[setup->service_count++] = (struct service){ "users", users };
    const char *name;
    json_t *conninfo;
    json_object_foreach(services, name, conninfo) {
        if (strcmp(name, "users") == 0) {
            continue;
        }
        if (setup->service_count == MAX_SERVICES || !json_is_string(conninfo)) {
            return false;
        }
        setup->services[setup->service_count++] =
            (struct service){ name, json_string_value(conninfo) };
    }
    return true;
}

bool setup_read(const char *path, struct setup *out)
{
    /* the texts live as long as the program: root is kept */
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL) {
        fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
        return false;
    }
    json_t *services = NULL, *books = NULL;
    json_int_t rows = 0;
    if (json_unpack_ex(root, &error, 0, "{s:i, s:i, s:I, s:s, s:s, s:s, s:o, s:o}", "clients",
                       &out->clients, "think_ms", &out->think_ms, "rows", &rows, "phase",
                       &out->phase_path, "status", &out->status_path, "report", &out->report_path,
                       "services", &services, "books", &books) != 0) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        return false;
    }
    out->rows = rows;
    if (!services_read(services, out) || !books_read(books, out) || out->clients < 1) {
        fprintf(stderr, "%s: services need users, books need service, table, number, rows\n", path);
        return false;
    }
    return true;
}
