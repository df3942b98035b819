#include "controller/desk/draft_shards.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog.h"

static bool has(const struct catalogs *catalogs, const char *service)
{
    for (size_t i = 0; i < catalogs->count; i++)
        if (text_eq(catalogs->items[i].service, service))
            return true;
    return false;
}

void shards_part(const void *ctx, struct catalogs *catalogs, struct catalogs *shards)
{
    struct catalogs first = *catalogs;
    first.items = mem_array(ctx, struct service_catalog, catalogs->count);
    first.count = 0;
    *shards = first;
    shards->items = mem_array(ctx, struct service_catalog, catalogs->count);
    for (size_t i = 0; i < catalogs->count; i++) {
        struct catalogs *to = has(&first, catalogs->items[i].service) ? shards : &first;
        to->items[to->count++] = catalogs->items[i];
    }
    *catalogs = first;
}

static void refuse(const void *ctx, const struct service_catalog *shard, const struct part *part,
                   const char *object, struct compiled *compiled)
{
    compiled->findings =
        mem_room(ctx, compiled->findings, struct compile_finding, compiled->finding_count + 1);
    compiled->findings[compiled->finding_count++] = (struct compile_finding){
        .severity = "error",
        .rule = "shard-differs",
        .service = part->service,
        .message =
            mem_printf(ctx, "%s of instance %s is not as the service's first instance has it",
                       object, shard->instance),
        .hint = "compare what `flotilla inspect --service` prints of each instance, make them "
                "equal first, and draft again",
    };
    compiled->refusals++;
}

static void compare(const void *ctx, const struct service_catalog *shard, const struct part *part,
                    struct compiled *compiled)
{
    for (size_t i = 0; i < part->object_count; i++) {
        SCOPE(tmp);
        const struct part_object *o = &part->objects[i];
        const char *print = catalog_object_fingerprint(tmp, shard->catalog, o->object);
        if (!text_eq(print ? print : "absent", o->fingerprint))
            refuse(ctx, shard, part, o->object, compiled);
    }
}

/* Has an earlier phase of the service named it already? */
static bool seen(const struct compiled *compiled, size_t count, const struct compile_finding *f)
{
    for (size_t i = 0; i < count; i++)
        if (text_eq(compiled->findings[i].service, f->service) &&
            text_eq(compiled->findings[i].message, f->message))
            return true;
    return false;
}

void shards_compare(const void *ctx, const struct catalogs *shards, struct compiled *compiled)
{
    size_t count = compiled->finding_count;
    for (size_t i = 0; i < shards->count; i++)
        for (size_t p = 0; p < compiled->part_count; p++)
            if (text_eq(compiled->parts[p]->service, shards->items[i].service))
                compare(ctx, &shards->items[i], compiled->parts[p], compiled);
    for (size_t i = count; i < compiled->finding_count; i++)
        if (!seen(compiled, count, &compiled->findings[i]))
            compiled->findings[count++] = compiled->findings[i];
        else
            compiled->refusals--;
    compiled->finding_count = count;
}
