#include "controller/desk/document.h"

#include <stdio.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"
#include "controller/plan/plan.h"

/* The keys that only one kind of file has. */
static const struct {
    const char *key;
    enum document document;
} kinds[] = {
    { "flotilla_plan", DOCUMENT_PLAN }, { "phases", DOCUMENT_PLAN },
    { "services", DOCUMENT_MANIFEST },  { "owners", DOCUMENT_MANIFEST },
    { "intents", DOCUMENT_CHANGE },     { "sql", DOCUMENT_CHANGE },
    { "desired", DOCUMENT_CHANGE },     { "request", DOCUMENT_CHANGE },
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

enum document document_of(const char *path)
{
    SCOPE(tmp);
    const char *keys[KIND_COUNT];
    const char *data = "";
    size_t len = 0;
    struct error ignored;
    for (int i = 0; i < KIND_COUNT; i++)
        keys[i] = kinds[i].key;
    if (!file_is_regular(path))
        return DOCUMENT_OTHER; /* what is read here of a pipe is gone for the one who wants it */
    if (!file_read(tmp, path, PLAN_FILE_BYTES, &data, &len, &ignored))
        return DOCUMENT_OTHER;
    size_t kind = yaml_first_of(data, len, keys, KIND_COUNT);
    return kind < KIND_COUNT ? kinds[kind].document : DOCUMENT_OTHER;
}

bool document_expect(const char *path, enum document wanted, struct error *err)
{
    static const char *const names[] = { "a manifest", "a change", "a plan" };
    static const char *const uses[] = {
        [DOCUMENT_MANIFEST] = "a manifest is named with --manifest",
        [DOCUMENT_CHANGE] = "`flotilla draft CHANGE.yaml -o PLAN.yaml` makes a plan of a change",
        [DOCUMENT_PLAN] = "`flotilla show PLAN.yaml` shows a plan",
    };
    enum document is = document_of(path);
    if (is == wanted || is == DOCUMENT_OTHER)
        return true;
    fail(err, ERROR_INVALID, "%s is %s, not %s", path, names[is], names[wanted]);
    return fail_hint(err, "%s", uses[is]);
}

bool document_manifest(const void *ctx, const char *path, struct fleet **out, struct error *err)
{
    const char *problems = NULL;
    if (!file_exists(path)) {
        fail(err, ERROR_NOT_FOUND, "there is no manifest %s here", path);
        return fail_hint(err, "`flotilla init` writes one; --manifest FILE names another");
    }
    if (!document_expect(path, DOCUMENT_MANIFEST, err))
        return false;
    if (fleet_load(ctx, path, out, &problems, err))
        return true;
    if (text_empty(problems))
        return false;
    fputs(problems, stderr);
    fail(err, ERROR_INVALID, "%s cannot be used as it is", path);
    return fail_hint(err, "correct it; `flotilla validate %s` checks it again", path);
}
