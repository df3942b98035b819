#include "controller/plan/approvals.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { FILE_MOST = 64 * 1024, FILES_MOST = 10 * 1000 };

const char *plan_approvals_folder(const void *ctx, const char *plan_path)
{
    size_t n = strlen(plan_path);
    size_t cut = text_ends(plan_path, ".yaml") ? 5 : text_ends(plan_path, ".yml") ? 4 : 0;
    return mem_printf(ctx, "%.*s.approvals", (int)(n - cut), plan_path);
}

/* What could leave the folder or hide the file is written as %XX. */
static const char *safe(const void *ctx, const char *name)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@+-.";
    struct text t = text_init(ctx, TEXT_LINE);
    for (const char *p = name; *p; p++) {
        if (strchr(plain, *p) && (*p != '.' || p > name))
            text_addc(&t, *p);
        else
            text_addf(&t, "%%%02X", (unsigned char)*p);
    }
    return t.data;
}

const char *plan_approval_path(const void *ctx, const char *plan_path, const struct part *part,
                               const char *signer)
{
    SCOPE(tmp);
    return mem_printf(ctx, "%s/%s.%s.%s.sig", plan_approvals_folder(tmp, plan_path),
                      phase_name(part->phase), safe(tmp, part->service), safe(tmp, signer));
}

bool plan_approval_save(const char *plan_path, const struct part *part,
                        const struct approval *approval, struct error *err)
{
    SCOPE(tmp);
    const char *content = approval_to_file(tmp, part, approval);
    const char *path = plan_approval_path(tmp, plan_path, part, approval->signer);
    if (!content)
        return fail(err, ERROR_INTERNAL, "%s: the approval cannot be written as text", path);
    return file_make_dir(plan_approvals_folder(tmp, plan_path), 0755, err) &&
           file_write(path, content, strlen(content), 0644, err);
}

static void folder_close(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

static bool read_named(const void *ctx, const char *path, struct approval_named *out,
                       struct error *err)
{
    const char *data = NULL;
    size_t len = 0;
    return file_read_plain(ctx, path, FILE_MOST, &data, &len, err) &&
           approval_from_file(ctx, data, len, out, err);
}

static bool read_one(const void *ctx, const char *path, const char *digest, struct approval *out)
{
    SCOPE(tmp);
    struct approval_named named;
    struct error ignored;
    if (!read_named(tmp, path, &named, &ignored) || !text_eq(named.digest, digest))
        return false;
    *out = (struct approval){
        .signer = mem_text(ctx, named.approval.signer),
        .signed_at = mem_text(ctx, named.approval.signed_at),
        .signature = mem_text(ctx, named.approval.signature),
    };
    return true;
}

static int by_path(const void *a, const void *b)
{
    return text_cmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_signer(const void *a, const void *b)
{
    const struct approval *x = a;
    const struct approval *y = b;
    int order = text_cmp(x->signer, y->signer);
    return order ? order : text_cmp(x->signature, y->signature);
}

/* The paths of the folder's signature files, in the order of names. */
static size_t files_of(const void *ctx, const char *plan_path, const char ***out)
{
    const char *path = plan_approvals_folder(ctx, plan_path);
    __attribute__((cleanup(folder_close))) DIR *folder = opendir(path);
    struct dirent *entry = NULL;
    const char **list = NULL;
    size_t count = 0;
    for (int n = 0; folder && n < FILES_MOST && (entry = readdir(folder)); n++) {
        if (!text_ends(entry->d_name, ".sig"))
            continue;
        list = mem_room(ctx, list, const char *, count + 1);
        list[count++] = mem_printf(ctx, "%s/%s", path, entry->d_name);
    }
    if (count > 1)
        qsort(list, count, sizeof(*list), by_path);
    *out = list;
    return count;
}

size_t plan_approvals_of(const void *ctx, const char *plan_path, const struct part *part,
                         struct approval **out)
{
    SCOPE(tmp);
    struct error ignored;
    const char *digest = NULL;
    const char **files = NULL;
    struct approval *list = NULL;
    size_t count = 0;
    if (!part_digest(tmp, part, &digest, &ignored))
        return 0;
    size_t file_count = files_of(tmp, plan_path, &files);
    for (size_t i = 0; i < file_count; i++) {
        list = mem_room(ctx, list, struct approval, count + 1);
        count += read_one(ctx, files[i], digest, &list[count]);
    }
    if (count > 1)
        qsort(list, count, sizeof(*list), by_signer);
    *out = list;
    return count;
}

static bool signs_part(const struct plan *plan, const char *digest)
{
    for (int p = 0; p < PHASE_COUNT; p++)
        for (size_t i = 0; i < plan->phases[p].count; i++)
            if (text_eq(plan->phases[p].parts[i]->digest, digest))
                return true;
    return false;
}

size_t plan_approval_strays(const void *ctx, const char *plan_path, const struct plan *plan,
                            struct plan_stray **out)
{
    SCOPE(tmp);
    const char **files = NULL;
    struct plan_stray *list = NULL;
    size_t count = 0;
    size_t file_count = files_of(tmp, plan_path, &files);
    for (size_t i = 0; i < file_count; i++) {
        struct approval_named named;
        struct error why;
        bool read = read_named(tmp, files[i], &named, &why);
        if (read && signs_part(plan, named.digest))
            continue;
        list = mem_room(ctx, list, struct plan_stray, count + 1);
        list[count++] = (struct plan_stray){
            mem_text(ctx, files[i]),
            mem_text(ctx, read ? "it signs no part of this plan as it is now" : why.message),
        };
    }
    *out = list;
    return count;
}
