#include <string.h>

#include "agents/agent/snapshot.h"
#include "agents/agent/spool.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char *const roles[] = { "key", "value", "current" };

const char *snapshot_shelf(const void *ctx, const char *dir, const char *database)
{
    SCOPE(tmp);
    return mem_printf(ctx, "%s/%s", dir, spool_run_id(tmp, &database, 1));
}

const char *snapshot_folder(const void *ctx, const char *dir, const char *database,
                            const char *rollout, const char *step)
{
    SCOPE(tmp);
    const char *pieces[] = { rollout, step };
    return mem_printf(ctx, "%s/%s", snapshot_shelf(tmp, dir, database),
                      spool_run_id(tmp, pieces, 2));
}

const char *snapshot_rows_path(const void *ctx, const struct snapshot *snapshot)
{
    return mem_printf(ctx, "%s/rows", snapshot->folder);
}

static json_t *columns_json(const struct snapshot *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->column_count; i++) {
        json_t *o = json_object();
        json_set_text(o, "name", s->columns[i].name);
        json_set_text(o, "type", s->columns[i].type);
        json_set_text(o, "read", s->columns[i].read);
        json_set_text(o, "side", s->columns[i].side);
        json_set_text(o, "role", roles[s->columns[i].role]);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *snapshot_json(const struct snapshot *s)
{
    json_t *o = json_object();
    json_set_text(o, "rollout", s->rollout);
    json_set_text(o, "step", s->step);
    json_set_text(o, "schema", s->schema);
    json_set_text(o, "name", s->name);
    json_set_int(o, "rows", s->rows);
    json_set_int(o, "bytes", s->bytes);
    json_set_text(o, "checksum", s->checksum);
    json_set_text(o, "digest", s->digest);
    json_set_text(o, "taken", s->taken);
    json_set_text(o, "verified", s->verified);
    return o;
}

bool snapshot_manifest_write(const struct snapshot *s, struct error *err)
{
    SCOPE(tmp);
    json_t *o = json_own(tmp, snapshot_json(s));
    json_set_int(o, "flotilla_snapshot", 1);
    json_set_bool(o, "whole", s->whole);
    json_object_set_new(o, "columns", columns_json(s));
    const char *text = json_pretty(tmp, o);
    return file_write(mem_printf(tmp, "%s/manifest", s->folder), text, strlen(text), 0600, err) ||
           fail_in(err, "snapshot");
}

static bool column_read(const json_t *json, struct snapshot_column *c, struct error *err)
{
    const char *role = NULL;
    if (!json_need_text(json, "name", &c->name, err) ||
        !json_need_text(json, "type", &c->type, err) ||
        !json_need_text(json, "read", &c->read, err) ||
        !json_need_text(json, "side", &c->side, err) || !json_need_text(json, "role", &role, err))
        return false;
    for (unsigned i = 0; i < 3; i++)
        if (text_eq(role, roles[i]))
            c->role = (enum snapshot_role)i;
    return true;
}

static bool columns_read(struct snapshot *s, const json_t *json, struct error *err)
{
    size_t i;
    json_t *item;
    json_t *list = NULL;
    if (!json_need_array(json, "columns", &list, err))
        return false;
    s->columns = mem_array(s, struct snapshot_column, json_array_size(list));
    json_array_foreach(list, i, item) {
        if (!column_read(item, &s->columns[i], err))
            return fail_in(err, "columns[%zu]", i);
        s->column_count++;
    }
    return true;
}

bool snapshot_manifest_read(const void *ctx, const char *folder, struct snapshot **out,
                            struct error *err)
{
    struct snapshot *s = mem_new(ctx, struct snapshot);
    const char *path = mem_printf(s, "%s/manifest", folder);
    const char *text = NULL;
    size_t len = 0;
    json_t *o = NULL;
    s->folder = mem_text(s, folder);
    if (!file_read_plain(s, path, TEXT_FILE, &text, &len, err) ||
        !json_parse(s, text, len, &o, err) || !json_need_text(o, "rollout", &s->rollout, err) ||
        !json_need_text(o, "step", &s->step, err) ||
        !json_need_text(o, "schema", &s->schema, err) ||
        !json_need_text(o, "name", &s->name, err) || !json_may_bool(o, "whole", &s->whole, err) ||
        !json_need_int(o, "rows", &s->rows, err) || !json_need_int(o, "bytes", &s->bytes, err) ||
        !json_need_text(o, "checksum", &s->checksum, err) ||
        !json_need_text(o, "digest", &s->digest, err) ||
        !json_need_text(o, "taken", &s->taken, err) ||
        !json_may_text(o, "verified", &s->verified, err) || !columns_read(s, o, err)) {
        talloc_free(s);
        return fail_in(err, "snapshot %s", folder);
    }
    *out = s;
    return true;
}
