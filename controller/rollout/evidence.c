#include "controller/rollout/evidence.h"

#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

const char *evidence_beside(const void *ctx, const char *plan_path, const char *suffix)
{
    size_t n = strlen(plan_path);
    size_t cut = text_ends(plan_path, ".yaml") ? 5 : text_ends(plan_path, ".yml") ? 4 : 0;
    return mem_printf(ctx, "%.*s.%s", (int)(n - cut), plan_path, suffix);
}

static const char *evidence_path(const void *ctx, const char *plan_path, const char *service,
                                 const char *instance)
{
    SCOPE(tmp);
    return mem_printf(ctx, "%s/%s.%s.json", evidence_beside(tmp, plan_path, "evidence"), service,
                      instance);
}

bool evidence_write(const char *plan_path, const struct evidence *e, struct error *err)
{
    SCOPE(tmp);
    json_t *digests = json_object();
    for (size_t i = 0; i < e->part_count; i++) {
        const char *digest = NULL;
        if (!part_digest(tmp, e->parts[i], &digest, err)) {
            json_decref(digests);
            return false;
        }
        json_set_text(digests, phase_name(e->parts[i]->phase), digest);
    }
    json_t *o = json_own(tmp, json_object());
    json_set_text(o, "service", e->service);
    json_set_text(o, "instance", e->instance);
    json_set_text(o, "rehearsed_at", clock_rfc3339(tmp, e->now_ms));
    json_set_bool(o, "proven", e->proven);
    json_object_set_new(o, "parts", digests);
    json_object_set_new(o, "result", json_deep_copy(e->result));
    const char *text = json_pretty(tmp, o);
    if (!file_make_dir(evidence_beside(tmp, plan_path, "evidence"), 0755, err))
        return false;
    return file_write(evidence_path(tmp, plan_path, e->service, e->instance), text, strlen(text),
                      0644, err);
}

bool evidence_holds(const char *plan_path, const struct part *part, const char *instance)
{
    SCOPE(tmp);
    const char *data = NULL;
    const char *digest = NULL;
    size_t len = 0;
    json_t *o = NULL;
    struct error ignored; /* whatever is wrong with the file: it proves nothing */
    const char *path = evidence_path(tmp, plan_path, part->service, instance);
    if (!file_read_plain(tmp, path, TEXT_FILE, &data, &len, &ignored) ||
        !json_parse(tmp, data, len, &o, &ignored) || !part_digest(tmp, part, &digest, &ignored))
        return false;
    return json_true_of(o, "proven") &&
           text_eq(json_text_of(json_object_get(o, "parts"), phase_name(part->phase)), digest);
}
