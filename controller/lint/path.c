/* What the path of a migration tells; the files beside it are looked for, never run or trusted. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/lint/layout.h"

enum { UPWARD = 4, SETTINGS_BYTES = 64 * 1024, KNOWN = 32 };

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* V1.2__name.sql, U…, B…, R__name.sql: the prefix, 0 for another name. */
static char flyway(const char *name)
{
    if (!name[0] || !strchr("VUBR", name[0]) || !text_ends(name, ".sql")) {
        return 0;
    }
    size_t n = strspn(name + 1, "0123456789._");
    const char *separator = strstr(name + 1, "__");
    bool version = separator && separator > name + 1 && separator + 2 <= name + 1 + n;
    bool repeatable = name[0] == 'R' && separator == name + 1;
    return (name[0] == 'R' ? repeatable : version) ? name[0] : 0;
}

/* The files of a folder ask the same questions. Used by one thread of a process only. */
static bool beside(const char *folder, const char *name)
{
    static struct {
        char path[PATH_MAX];
        bool there;
    } known[KNOWN];
    static size_t next;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path) {
        return false;
    }
    for (size_t i = 0; i < KNOWN; i++) {
        if (text_eq(known[i].path, path)) {
            return known[i].there;
        }
    }
    memcpy(known[next].path, path, (size_t)n + 1);
    known[next].there = file_exists(path);
    next = (next + 1) % KNOWN;
    return known[(next + KNOWN - 1) % KNOWN].there;
}

/* The nearest of the files upward of the folder: its number in the list, or -1. Up to the folder
 * where the repository begins. */
static int upward(const char *folder, const char *const *names, int count)
{
    SCOPE(tmp);
    const char *at = folder;
    for (int level = 0; level < UPWARD; level++) {
        for (int i = 0; i < count; i++) {
            if (beside(at, names[i])) {
                return i;
            }
        }
        if (beside(at, ".git")) {
            return -1;
        }
        at = mem_printf(tmp, "%s/..", at);
    }
    return -1;
}

/* A Rust project, rather than one in Go. */
static bool rust(const char *folder)
{
    static const char *const files[] = { "diesel.toml", "Cargo.toml", "go.mod" };
    int at = upward(folder, files, 3);
    return at == 0 || at == 1;
}

/* The file has the setting "key = value", with blanks where they may be. */
static bool setting(const char *path, const char *key, const char *value)
{
    SCOPE(tmp);
    struct error ignored;
    const char *text;
    size_t length;
    if (!file_exists(path) || !file_read(tmp, path, SETTINGS_BYTES, &text, &length, &ignored)) {
        return false;
    }
    for (const char *line = text; *line != '\0';) {
        const char *p = line + strspn(line, " \t");
        if (text_starts(p, key)) {
            p += strlen(key);
            p += strspn(p, " \t");
            if (*p == '=' || *p == ':') {
                p++;
                p += strspn(p, " \t");
                return text_starts(p, value);
            }
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return false;
}

static struct lint_path flyway_path(const void *ctx, const char *path, char prefix)
{
    bool outside = setting(mem_printf(ctx, "%s.conf", path), "executeInTransaction", "false");
    return (struct lint_path){ "flyway", prefix == 'U' ? LINT_DOWN : LINT_UP,
                               outside ? WRAP_NONE : WRAP_MIXED };
}

/* …/deploy/…, …/revert/… or …/verify/… below a folder with a sqitch.plan. */
static bool sqitch_path(const void *ctx, const char *path, struct lint_path *out)
{
    static const char *const folders[] = { "deploy/", "revert/", "verify/" };
    static const enum lint_way ways[] = { LINT_UP, LINT_DOWN, LINT_VERIFY };
    for (size_t i = 0; i < 3; i++) {
        for (const char *at = path; (at = strstr(at, folders[i])); at++) {
            if (at != path && at[-1] != '/') {
                continue;
            }
            const char *top = at == path ? "./" : mem_textn(ctx, path, (size_t)(at - path));
            if (file_exists(mem_printf(ctx, "%ssqitch.plan", top))) {
                *out = (struct lint_path){ "sqitch", ways[i], WRAP_NONE };
                return true;
            }
        }
    }
    return false;
}

/* A folder a migration, with its migration.sql: Prisma, Drizzle. */
static bool migration_path(const char *folder, const char *name, struct lint_path *out)
{
    bool down = text_eq(name, "down.sql") && beside(folder, "migration.sql");
    bool ours =
        isdigit((unsigned char)*base_of(folder)) || beside(folder, "../migration_lock.toml");
    if (!(down || text_eq(name, "migration.sql")) || !ours) {
        return false;
    }
    bool drizzle = beside(folder, "snapshot.json");
    *out = (struct lint_path){ drizzle ? "drizzle" : "prisma", down ? LINT_DOWN : LINT_UP,
                               drizzle ? WRAP_ALL : WRAP_SEVERAL };
    return true;
}

/* The same with up.sql and down.sql: diesel, Hasura. */
static bool folder_path(const void *ctx, const char *folder, const char *name,
                        struct lint_path *out)
{
    bool down = text_eq(name, "down.sql");
    if (!isdigit((unsigned char)*base_of(folder)) || !(down || text_eq(name, "up.sql"))) {
        return false;
    }
    bool outside =
        setting(mem_printf(ctx, "%s/metadata.toml", folder), "run_in_transaction", "false");
    *out = (struct lint_path){ outside || rust(folder) ? "diesel" : "hasura",
                               down ? LINT_DOWN : LINT_UP, outside ? WRAP_SEVERAL : WRAP_ALL };
    return true;
}

/* Pairs of files: 1_name.up.sql and 1_name.down.sql. */
static bool pair_path(const char *folder, const char *name, struct lint_path *out)
{
    bool up = text_ends(name, ".up.sql"), down = text_ends(name, ".down.sql");
    if (!up && !down) {
        return false;
    }
    bool sqlx = rust(folder);
    bool bun = text_ends(name, ".tx.up.sql") || text_ends(name, ".tx.down.sql");
    *out = (struct lint_path){ sqlx  ? "sqlx"
                               : bun ? "bun"
                                     : "golang-migrate",
                               up ? LINT_UP : LINT_DOWN, sqlx || bun ? WRAP_ALL : WRAP_SEVERAL };
    return true;
}

static bool graphile(const char *folder, const char *name)
{
    return (text_eq(name, "current.sql") && beside(folder, "committed")) ||
           (text_eq(base_of(folder), "current") && beside(folder, "../committed")) ||
           (text_eq(base_of(folder), "committed") &&
            (beside(folder, "../current.sql") || beside(folder, "../current")));
}

static bool numbered_file(const char *name)
{
    size_t n = strspn(name, "0123456789");
    return n > 0 && name[n] == '_';
}

/* Numbered files whose folder or project tells the tool. */
static bool numbered_path(const char *folder, const char *name, struct lint_path *out)
{
    const char *tool = NULL;
    if (!numbered_file(name)) {
        return false;
    }
    if (beside(folder, "atlas.sum")) {
        tool = "atlas";
    } else if (beside(folder, "meta/_journal.json")) {
        tool = "drizzle";
    } else if (text_eq(base_of(folder), "migrations") && rust(folder)) {
        tool = "sqlx";
    }
    *out = (struct lint_path){ tool, LINT_UP, tool ? WRAP_ALL : WRAP_NONE };
    return tool != NULL;
}

struct lint_path lint_path_of(const char *path)
{
    SCOPE(tmp);
    struct lint_path out = { NULL, LINT_UP, WRAP_NONE };
    const char *name = base_of(path), *folder = file_folder(tmp, path);
    char prefix = flyway(name);
    if (prefix) {
        return flyway_path(tmp, path, prefix);
    }
    if (sqitch_path(tmp, path, &out) || migration_path(folder, name, &out) ||
        folder_path(tmp, folder, name, &out) || pair_path(folder, name, &out) ||
        numbered_path(folder, name, &out)) {
        return out;
    }
    if (text_eq(name, "structure.sql") || text_ends(name, "_structure.sql")) {
        return (struct lint_path){ "rails", LINT_UP, WRAP_NONE };
    }
    if (graphile(folder, name)) {
        return (struct lint_path){ "graphile-migrate", LINT_UP, WRAP_ALL };
    }
    bool undoes = text_ends(name, "_down.sql") || text_ends(name, ".rollback.sql");
    out.way = undoes ? LINT_DOWN : LINT_UP;
    return out;
}

bool lint_path_skipped(const char *path)
{
    const char *name = base_of(path);
    return name[0] == '.' || text_eq(name, "node_modules");
}

static int number_order(const char **a, const char **b)
{
    while (**a == '0' && isdigit((unsigned char)(*a)[1])) {
        (*a)++;
    }
    while (**b == '0' && isdigit((unsigned char)(*b)[1])) {
        (*b)++;
    }
    size_t n = strspn(*a, "0123456789"), m = strspn(*b, "0123456789");
    int order = n != m ? (n > m) - (n < m) : memcmp(*a, *b, n);
    *a += n;
    *b += m;
    return order;
}

static int natural(const char *a, const char *b)
{
    const char *x = a, *y = b;
    while (*x != '\0' && *y != '\0') {
        if (isdigit((unsigned char)*x) && isdigit((unsigned char)*y)) {
            int order = number_order(&x, &y);
            if (order != 0) {
                return order;
            }
        } else if (*x != *y) {
            return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
        } else {
            x++;
            y++;
        }
    }
    return *x != *y ? (*x == '\0' ? -1 : 1) : strcmp(a, b);
}

/* Versions are numbers between dots or single underscores; what is missing counts as zero. */
static int version_order(const char *a, const char *b)
{
    const char *x = a, *y = b;
    for (;;) {
        bool more = isdigit((unsigned char)*x), other = isdigit((unsigned char)*y);
        if (!more && !other) {
            return natural(a, b);
        }
        const char *nought = "0", *zero = "0";
        int order = number_order(more ? &x : &nought, other ? &y : &zero);
        if (order != 0) {
            return order;
        }
        x += (*x == '.' || *x == '_') && isdigit((unsigned char)x[1]);
        y += (*y == '.' || *y == '_') && isdigit((unsigned char)y[1]);
    }
}

int lint_path_order(const char *a, const char *b)
{
    static const char *const order = "BVUR";
    char x = flyway(a), y = flyway(b);
    if (!x || !y) {
        return natural(a, b);
    }
    if (x != y) {
        return strchr(order, x) < strchr(order, y) ? -1 : 1;
    }
    return x == 'R' ? strcmp(a, b) : version_order(a + 1, b + 1);
}

const char *lint_path_version(const void *ctx, const char *path)
{
    const char *name = base_of(path);
    char prefix = flyway(name);
    size_t n;
    if (prefix && prefix != 'R') {
        n = (size_t)(strstr(name, "__") - name);
    } else {
        n = strspn(name, "0123456789");
    }
    if (n == 0 || prefix == 'R') {
        return NULL;
    }
    const char *from = name + (prefix != 0);
    size_t zeros = strspn(from, "0");
    zeros = zeros < n - (prefix != 0) ? zeros : 0;
    return mem_textn(ctx, from + zeros, n - (prefix != 0) - zeros);
}
