#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/manifest/grammar.h"
#include "controller/manifest/reading.h"

static const char example[] = "write \"orders(user_id) -> users:users(id)\"";

static void mention_add(struct reading *r, const struct yaml_node *node, const char *service)
{
    r->mentions = mem_room(r->fleet, r->mentions, struct mention, r->mention_count + 1);
    r->mentions[r->mention_count++] = (struct mention){ node, service };
}

/* The arrow that is not inside of a quoted piece. */
static const char *find_arrow(const char *s)
{
    bool quoted = false;
    for (; *s; s++) {
        if (*s == '"')
            quoted = !quoted;
        else if (!quoted && s[0] == '-' && s[1] == '>')
            return s;
    }
    return NULL;
}

/* A name that no catalog can hold is a slip: NAMEDATALEN less one. */
enum { NAME_BYTES = 63 };

static bool piece_fits(struct reading *r, const struct yaml_node *node, const char *piece)
{
    if (!piece || strlen(piece) <= NAME_BYTES)
        return true;
    SCOPE(tmp);
    yaml_complain(r->problems, node,
                  "\"%s\" is longer than the %d bytes of a PostgreSQL name, "
                  "write it as the catalog has it",
                  text_printable(tmp, piece), NAME_BYTES);
    return false;
}

static bool columns_differ(struct reading *r, const struct yaml_node *node,
                           const struct object_name *name)
{
    for (size_t i = 1; i < name->column_count; i++)
        for (size_t k = 0; k < i; k++)
            if (text_eq(name->columns[i], name->columns[k])) {
                SCOPE(tmp);
                yaml_complain(r->problems, node, "the column \"%s\" is named twice, remove one",
                              text_printable(tmp, name->columns[i]));
                return false;
            }
    return true;
}

static bool object_read(struct reading *r, const struct yaml_node *node, const char *s,
                        struct object_name *out)
{
    struct error err;
    if (!object_name_parse(r->fleet, s, out, &err)) {
        yaml_complain(r->problems, node, "%s, %s", err.message, example);
        return false;
    }
    bool fits = piece_fits(r, node, out->schema) && piece_fits(r, node, out->name);
    for (size_t i = 0; fits && i < out->column_count; i++)
        fits = piece_fits(r, node, out->columns[i]);
    return fits && columns_differ(r, node, out);
}

static bool reference_read(struct reading *r, const struct yaml_node *node,
                           const struct service *service, struct reference *out)
{
    SCOPE(tmp);
    const char *s = NULL;
    if (!yaml_text(r->problems, node, &s))
        return false;
    const char *arrow = find_arrow(s);
    if (!arrow) {
        yaml_complain(r->problems, node, "%s is no reference, %s", yaml_what(tmp, node), example);
        return false;
    }
    struct reference ref = { .line = node->line };
    if (!object_read(r, node, mem_textn(tmp, s, (size_t)(arrow - s)), &ref.from) ||
        !object_read(r, node, arrow + 2, &ref.to))
        return false;
    if (ref.from.column_count == 0 || ref.from.column_count != ref.to.column_count) {
        yaml_complain(r->problems, node, "a reference names as many columns on both sides, %s",
                      example);
        return false;
    }
    if (ref.from.service && !text_eq(ref.from.service, service->name)) {
        yaml_complain(r->problems, node,
                      "the left side of a reference is a table of %s, move it to service %s",
                      service->name, text_printable(tmp, ref.from.service));
        return false;
    }
    ref.from.service = service->name;
    ref.to.service = ref.to.service ? ref.to.service : service->name;
    mention_add(r, node, ref.to.service);
    claim_add(r, node,
              mem_printf(r->fleet, "the reference %s -> %s", object_name_text(tmp, &ref.from),
                         object_name_text(tmp, &ref.to)));
    *out = ref;
    return true;
}

void references_read(struct reading *r, const struct yaml_node *node, struct service *service)
{
    if (!yaml_is_list(r->problems, node))
        return;
    service->references = mem_array(r->fleet, struct reference, node->count);
    for (size_t i = 0; i < node->count; i++)
        if (reference_read(r, node->items[i], service,
                           &service->references[service->reference_count]))
            service->reference_count++;
}

static void columns_read(struct reading *r, const struct yaml_node *node, struct object_name *from)
{
    const char **texts = NULL;
    size_t count = 0;
    if (!yaml_texts(r->fleet, r->problems, node, &texts, &count))
        return;
    if (from->column_count > 0) {
        yaml_complain(r->problems, node, "columns: stand in \"from\" too, keep one of them");
        return;
    }
    for (size_t i = 0; i < count; i++)
        texts[i] = mem_text(r->fleet, texts[i]);
    from->columns = texts;
    from->column_count = count;
    words_unique(r->problems, node);
}

static bool consume_read(struct reading *r, const struct yaml_node *node,
                         const struct service *service, struct consume *out)
{
    if (!yaml_is_map(r->problems, node))
        return false;
    yaml_known(r->problems, node, KEYS("from", "columns", "via"));
    const struct yaml_node *from = yaml_must(r->problems, node, "from");
    struct consume consume = { .line = node->line };
    const char *s = NULL;
    const char *via = NULL;
    bool good = yaml_text(r->problems, from, &s) && object_read(r, from, s, &consume.from);
    if (good && (!consume.from.service || text_eq(consume.from.service, service->name))) {
        yaml_complain(r->problems, from,
                      "from: names a table of another service, write \"service:table\"");
        good = false;
    }
    if (good)
        mention_add(r, from, consume.from.service);
    columns_read(r, yaml_key(node, "columns"), &consume.from);
    if (grammar_text(r->problems, yaml_key(node, "via"), GRAMMAR_NAME, &via))
        consume.via = mem_text(r->fleet, via);
    *out = consume;
    return good;
}

void consumes_read(struct reading *r, const struct yaml_node *node, struct service *service)
{
    if (!yaml_is_list(r->problems, node))
        return;
    service->consumes = mem_array(r->fleet, struct consume, node->count);
    for (size_t i = 0; i < node->count; i++)
        if (consume_read(r, node->items[i], service, &service->consumes[service->consume_count]))
            service->consume_count++;
}
