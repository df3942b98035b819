#include "controller/desk/lint_history.h"

#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    FILES_MAX = 1000,             /* every worker reads them all, and keeps what they say */
    FILE_BYTES = 2 * 1024 * 1024, /* dumps are no migrations */
    POOL = 32 * 1024,             /* most migrations say less */
};

struct lint_history {
    const char *tool, *folder;
    struct judge *judge;
    size_t next; /* the first file that it has not followed */
    struct lint_history *other;
};

/* Where a tool keeps its files: those that have a folder each lie beside each other's folders. */
static const char *place_of(const void *ctx, const char *path)
{
    static const char *const names[] = { "migration.sql", "up.sql", "down.sql" };
    const char *slash = strrchr(path, '/'), *folder = file_folder(ctx, path);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_eq(slash ? slash + 1 : path, names[i])) {
            return file_folder(ctx, folder);
        }
    }
    return folder;
}

static struct lint_history *history_of(struct lint_run *run, const char *tool, const char *folder,
                                       const struct lint_options *options)
{
    for (struct lint_history *h = run->histories; h; h = h->other) {
        if (text_eq(h->tool, tool) && text_eq(h->folder, folder)) {
            return h;
        }
    }
    struct lint_history *h = mem_new(run->ctx, struct lint_history);
    *h = (struct lint_history){ .tool = mem_text(h, tool),
                                .folder = mem_text(h, folder),
                                .judge = lint_judge(h, options),
                                .other = run->histories };
    judge_take_hearsay(h->judge);
    run->histories = h;
    return h;
}

/* The way up of one file, statement by statement as the linter would. */
static void follow(struct lint_history *h, const struct lint_layout *layout, size_t length)
{
    void *keep = talloc_pool(h, POOL);
    for (size_t i = 0; i < layout->count && layout->parts[i].way == LINT_UP; i++) {
        struct script *script;
        struct error ignored;
        if (!sql_parse(keep, layout->parts[i].text, length, &script, &ignored)) {
            continue;
        }
        for (size_t k = 0; k < script->count; k++) {
            struct verdict *v;
            if (!statement_judge(script, h->judge, &script->statements[k], &v, &ignored)) {
                break;
            }
        }
    }
    judge_settle(h->judge);
}

static void file_follow(struct lint_run *run, struct lint_history *h, const struct lint_file *f)
{
    SCOPE(tmp);
    const char *text;
    size_t length;
    struct error ignored;
    struct sql_texts unsaid = { NULL, 0 };
    const struct lint_config *c = f->config;
    if (f->place.way != LINT_UP || !text_eq(place_of(tmp, f->path), h->folder) ||
        !file_read(tmp, f->path, FILE_BYTES, &text, &length, &ignored)) {
        return;
    }
    /* statements outlive the file: the judge keeps what they say */
    const char *kept = mem_bytes(run->ctx, text, length);
    kept = lint_placeholders_fill(run->ctx, kept, &length, c ? c->placeholders : NULL,
                                  c ? c->placeholder_count : 0, &unsaid);
    struct lint_layout layout = lint_layout_of(run->ctx, &f->place, kept, length);
    if (text_eq(layout.tool, h->tool)) {
        follow(h, &layout, length);
    }
}

struct judge *lint_history_before(struct lint_run *run, size_t index,
                                  const struct lint_layout *layout,
                                  const struct lint_options *options)
{
    SCOPE(tmp);
    const struct lint_file *f = &run->files.items[index];
    if (!layout->tool || layout->count == 0 || layout->parts[0].way != LINT_UP ||
        run->variants.count > 0 || options->catalog || run->files.count > FILES_MAX ||
        text_eq(f->path, "-")) {
        return NULL;
    }
    struct lint_history *h = history_of(run, layout->tool, place_of(tmp, f->path), options);
    for (; h->next < index; h->next++) {
        file_follow(run, h, &run->files.items[h->next]);
    }
    return h->next == index ? h->judge : NULL;
}

void lint_history_linted(struct lint_run *run, size_t index)
{
    for (struct lint_history *h = run->histories; h; h = h->other) {
        if (h->next == index) {
            judge_settle(h->judge);
            h->next = index + 1;
        }
    }
}
