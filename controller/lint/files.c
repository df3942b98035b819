#include "controller/lint/files.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { DEPTH_MAX = 32, PLAN_BYTES = 4 * 1024 * 1024 };

static void file_add(const void *ctx, struct lint_files *files, const char *path, const char *shown)
{
    files->items = mem_room(ctx, files->items, struct lint_file, files->count + 1);
    files->items[files->count++] =
        (struct lint_file){ .path = path, .shown = shown, .place = lint_path_of(shown) };
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return lint_path_order((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry)
{
    return !lint_path_skipped(entry->d_name);
}

/* One change of a sqitch.plan. */
struct planned {
    const char *name;
    size_t place;
};

struct plan {
    struct planned *items;
    size_t count;
};

static int by_planned_name(const void *a, const void *b)
{
    return text_cmp(((const struct planned *)a)->name, ((const struct planned *)b)->name);
}

/* "name [dependencies] date planner # note" a line; %pragmas, @tags. A change that was reworked
 * stands there twice, its older script is called name@tag. */
static struct plan plan_read(const void *ctx, const char *path)
{
    struct error ignored;
    struct plan plan = { NULL, 0 };
    const char *text;
    size_t length, line_number = 0, since_tag = 0;
    if (!file_read(ctx, path, PLAN_BYTES, &text, &length, &ignored)) {
        return plan;
    }
    for (const char *line = text; *line != '\0'; line_number++) {
        const char *p = line + strspn(line, " \t");
        size_t n = strcspn(p, " \t\r\n");
        if (*p == '@') {
            const char *tag = mem_textn(ctx, p, n);
            size_t count = plan.count;
            for (size_t i = since_tag; i < count; i++) {
                const char *name = mem_printf(ctx, "%s%s", plan.items[i].name, tag);
                plan.items = mem_room(ctx, plan.items, struct planned, plan.count + 1);
                plan.items[plan.count++] = (struct planned){ name, plan.items[i].place };
            }
            since_tag = plan.count;
        } else if (n > 0 && *p != '%' && *p != '#') {
            size_t minus = *p == '-' || *p == '+';
            plan.items = mem_room(ctx, plan.items, struct planned, plan.count + 1);
            plan.items[plan.count++] =
                (struct planned){ mem_textn(ctx, p + minus, n - minus), line_number };
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    if (plan.count > 0) {
        qsort(plan.items, plan.count, sizeof *plan.items, by_planned_name);
    }
    return plan;
}

/* A change reworked has its newest place under its plain name. */
static size_t plan_place(const struct plan *plan, const char *name)
{
    const struct planned wanted = { name, 0 };
    const struct planned *at =
        bsearch(&wanted, plan->items, plan->count, sizeof *plan->items, by_planned_name);
    if (!at) {
        return SIZE_MAX;
    }
    size_t place = at->place;
    for (const struct planned *p = at; p > plan->items && text_eq(p[-1].name, name); p--) {
        place = p[-1].place > place ? p[-1].place : place;
    }
    for (const struct planned *p = at + 1; p < plan->items + plan->count && text_eq(p->name, name);
         p++) {
        place = p->place > place ? p->place : place;
    }
    return place;
}

struct placed {
    struct lint_file file;
    size_t place, was;
};

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return x->place != y->place ? (x->place > y->place) - (x->place < y->place)
                                : (x->was > y->was) - (x->was < y->was);
}

/* Sqitch runs what its plan says, in that order. */
static void plan_apply(const void *ctx, struct lint_files *files, size_t from, const char *folder)
{
    SCOPE(tmp);
    size_t n = files->count - from, top = strlen(folder) + !text_ends(folder, "/");
    struct plan plan = plan_read(tmp, mem_printf(tmp, "%s/sqitch.plan", folder));
    struct placed *list = mem_array(tmp, struct placed, n);
    for (size_t i = 0; i < n; i++) {
        struct lint_file *f = &files->items[from + i];
        const char *name = strchr(f->path + top, '/'); /* behind deploy */
        name = name ? mem_textn(tmp, name + 1, strlen(name + 1) - strlen(".sql")) : "";
        size_t place = text_eq(f->place.tool, "sqitch") ? plan_place(&plan, name) : SIZE_MAX;
        if (place == SIZE_MAX && text_eq(f->place.tool, "sqitch")) {
            f->disorder =
                mem_printf(ctx, "sqitch.plan has no change \"%s\": it is never run", name);
        }
        list[i] = (struct placed){ *f, place, i };
    }
    qsort(list, n, sizeof *list, by_place);
    for (size_t i = 0; i < n; i++) {
        files->items[from + i] = list[i].file;
    }
}

struct visit {
    const void *ctx;
    struct lint_files *files;
    struct text *problems;
};

static void folder_add(struct visit *v, const char *path, int depth);

static void entry_add(struct visit *v, const char *full, int depth)
{
    struct stat st;
    if (stat(full, &st) != 0) {
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        folder_add(v, full, depth + 1);
    } else if (text_ends(full, ".sql")) {
        file_add(v->ctx, v->files, full, full);
        v->files->bytes += st.st_size;
    }
}

/* Its *.sql files and folders, by name. */
static void folder_add(struct visit *v, const char *path, int depth)
{
    struct dirent **list = NULL;
    struct error why;
    size_t from = v->files->count;
    bool planned = false;
    int n = depth < DEPTH_MAX ? scandir(path, &list, visible, by_name) : 0;
    if (n < 0) {
        fail_errno(&why, "%s", path);
        text_addf(v->problems, "%s\n", why.message);
        return;
    }
    for (int i = 0; i < n; i++) {
        entry_add(
            v, mem_printf(v->ctx, "%s%s%s", path, text_ends(path, "/") ? "" : "/", list[i]->d_name),
            depth);
        planned = planned || text_eq(list[i]->d_name, "sqitch.plan");
        free(list[i]);
    }
    free(list);
    if (planned && v->files->count > from) {
        plan_apply(v->ctx, v->files, from, path);
    }
}

static const char *folder_of(const void *ctx, const struct lint_file *f)
{
    return file_folder(ctx, f->path);
}

/* Two files with the same number: which runs first, and whether both do, is up to the tool. */
static void twins_note(const void *ctx, struct lint_files *files, size_t from)
{
    for (size_t i = from + 1; i < files->count; i++) {
        SCOPE(tmp);
        const struct lint_file *before = &files->items[i - 1];
        struct lint_file *f = &files->items[i];
        const char *version = lint_path_version(tmp, f->path);
        if (version && f->place.way == before->place.way &&
            text_eq(version, lint_path_version(tmp, before->path)) &&
            text_eq(folder_of(tmp, f), folder_of(tmp, before))) {
            f->disorder = mem_printf(ctx, "%s has the same number",
                                     before->path + strlen(folder_of(tmp, f)) +
                                         (strchr(before->path, '/') != NULL));
        }
    }
}

static void ways_part(struct lint_files *files, size_t from)
{
    SCOPE(tmp);
    size_t n = files->count - from, at = from;
    struct lint_file *copy = mem_array(tmp, struct lint_file, n);
    memcpy(copy, files->items + from, n * sizeof *copy);
    for (enum lint_way way = LINT_UP; way <= LINT_DOWN; way++) {
        for (size_t i = 0; i < n; i++) {
            const struct lint_file *f = &copy[way == LINT_DOWN ? n - 1 - i : i];
            if (f->place.way == way) {
                files->items[at++] = *f;
            }
        }
    }
}

bool lint_files_add(const void *ctx, struct lint_files *files, const char *path, const char *shown,
                    struct text *problems, struct error *err)
{
    struct stat st = { 0 };
    struct visit v = { ctx, files, problems };
    size_t from = files->count;
    if (text_eq(path, "-") || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        file_add(ctx, files, path, text_eq(path, "-") ? shown : path);
        files->bytes += st.st_size;
        return true;
    }
    folder_add(&v, path, 0);
    if (problems->len > 0 && files->count == from) {
        return fail(err, ERROR_NOT_FOUND, "%.*s", (int)strcspn(problems->data, "\n"),
                    problems->data);
    }
    if (files->count > from) {
        twins_note(ctx, files, from);
        ways_part(files, from);
    }
    return true;
}
