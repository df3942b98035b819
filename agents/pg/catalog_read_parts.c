#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_reader.h"

typedef void set_part(struct reader *reader, const struct rows *rows, size_t row,
                      const struct place *place, void *part);

/* Parts of relations: rows in the order of the relation's oid, which is column 0. `list` and
 * `count` are the offsets of the relation's fields. */
static bool read_parts(struct reader *reader, const char *sql, const size_t where[3], set_part *set,
                       struct error *err)
{
    struct rows *rows = NULL;

    if (!reader_query(reader, sql, &rows, err))
        return false;
    for (size_t i = 0, n; i < rows_count(rows); i += n) {
        const struct place *place = reader_place(reader, reader_oid(rows, i, 0));

        n = reader_group(rows, i);
        if (!place)
            continue;
        char *parts = mem_zeroed(reader->catalog, where[2], n, "parts");
        *(void **)((char *)place->relation + where[0]) = parts;
        *(size_t *)((char *)place->relation + where[1]) = n;
        for (size_t j = 0; j < n; j++)
            set(reader, rows, i + j, place, parts + j * where[2]);
    }
    return true;
}

#define PARTS(list, count, type)                                                        \
    (const size_t[])                                                                    \
    {                                                                                   \
        offsetof(struct relation, list), offsetof(struct relation, count), sizeof(type) \
    }

enum constraint_col {
    CON_RELATION,
    CON_OID,
    CON_NAME,
    CON_KIND,
    CON_KEYS,
    CON_VALIDATED,
    CON_DEFERRABLE,
    CON_DEFERRED,
    CON_REF,
    CON_REF_KEYS,
    CON_ON_DELETE,
    CON_ON_UPDATE,
    CON_INDEX,
    CON_INHERITED,
    CON_DEFINITION,
    CON_COMMENT,
};

/* A foreign key to a partitioned table has one more row for each partition there: not a constraint
 * of its own. Constraint triggers are in the triggers. */
static const char constraints_sql[] =
    "SELECT k.conrelid, k.oid, k.conname, k.contype, k.conkey, k.convalidated, k.condeferrable,"
    " k.condeferred, k.confrelid, k.confkey, k.confdeltype, k.confupdtype, i.relname,"
    " NOT k.conislocal,"
    /* Those without an expression wait for no lock. */
    " CASE WHEN k.contype IN ('p', 'u', 'f', 'n') THEN pg_get_constraintdef(k.oid) END,"
    " obj_description(k.oid, 'pg_constraint') FROM pg_constraint k JOIN spaces s ON s.oid = k.connamespace"
    " LEFT JOIN pg_class i ON i.oid = k.conindid"
    " LEFT JOIN pg_constraint p ON p.oid = k.conparentid AND k.conparentid <> 0"
    " WHERE k.conrelid <> 0 AND k.contype <> 't' AND p.conrelid IS DISTINCT FROM k.conrelid"
    " ORDER BY k.conrelid";

static void set_constraint(struct reader *reader, const struct rows *rows, size_t row,
                           const struct place *place, void *part)
{
    struct constraint *c = part;
    const struct place *ref = reader_place(reader, reader_oid(rows, row, CON_REF));

    c->name = reader_text(reader, rows, row, CON_NAME);
    c->kind = reader_char(rows, row, CON_KIND);
    c->columns = reader_columns(reader, place, rows_text(rows, row, CON_KEYS));
    c->validated = rows_bool(rows, row, CON_VALIDATED);
    c->deferrable = rows_bool(rows, row, CON_DEFERRABLE);
    c->deferred = rows_bool(rows, row, CON_DEFERRED);
    c->index = reader_text(reader, rows, row, CON_INDEX);
    c->inherited = rows_bool(rows, row, CON_INHERITED);
    if (c->kind == 'f' && ref) {
        c->ref_schema = ref->relation->schema;
        c->ref_table = ref->relation->name;
        c->ref_columns = reader_columns(reader, ref, rows_text(rows, row, CON_REF_KEYS));
        c->on_delete = reader_char(rows, row, CON_ON_DELETE);
        c->on_update = reader_char(rows, row, CON_ON_UPDATE);
    }
    c->definition = reader_text(reader, rows, row, CON_DEFINITION);
    c->comment = reader_text(reader, rows, row, CON_COMMENT);
    if (!c->definition)
        reader_slot(reader, SLOT_CONSTRAINT,
                    (struct slot){ .oid = reader_oid(rows, row, CON_OID),
                                   .place = place,
                                   .name = c->name,
                                   .target = &c->definition });
}

enum index_col {
    IND_RELATION,
    IND_OID,
    IND_NAME,
    IND_METHOD,
    IND_KEYS,
    IND_KEY_COUNT,
    IND_UNIQUE,
    IND_PRIMARY,
    IND_VALID,
    IND_READY,
    IND_NULLS,
    IND_EXPRESSIONS,
    IND_PARTIAL,
    IND_CONSTRAINT,
    IND_BYTES,
    IND_CLUSTERED,
    IND_COMMENT,
};

/* conindid of a foreign key is the index that it references. */
static const char indexes_sql[] =
    "SELECT i.indrelid, i.indexrelid, c.relname, m.amname, i.indkey, i.indnkeyatts,"
    " i.indisunique, i.indisprimary, i.indisvalid, i.indisready, %s, i.indexprs IS NOT NULL,"
    " i.indpred IS NOT NULL, k.conname,"
    " c.relpages::bigint * current_setting('block_size')::bigint, i.indisclustered,"
    " obj_description(i.indexrelid, 'pg_class')"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN spaces s ON s.oid = c.relnamespace JOIN pg_am m ON m.oid = c.relam"
    " LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')"
    " ORDER BY i.indrelid";

static void set_index(struct reader *reader, const struct rows *rows, size_t row,
                      const struct place *place, void *part)
{
    struct index *x = part;

    x->name = reader_text(reader, rows, row, IND_NAME);
    x->method = reader_text(reader, rows, row, IND_METHOD);
    x->columns = reader_columns(reader, place, rows_text(rows, row, IND_KEYS));
    x->key_count = (int)rows_int(rows, row, IND_KEY_COUNT);
    x->unique = rows_bool(rows, row, IND_UNIQUE);
    x->primary = rows_bool(rows, row, IND_PRIMARY);
    x->valid = rows_bool(rows, row, IND_VALID);
    x->ready = rows_bool(rows, row, IND_READY);
    x->nulls_not_distinct = rows_bool(rows, row, IND_NULLS);
    x->clustered = rows_bool(rows, row, IND_CLUSTERED);
    x->has_expressions = rows_bool(rows, row, IND_EXPRESSIONS);
    x->constraint = reader_text(reader, rows, row, IND_CONSTRAINT);
    x->bytes = rows_int(rows, row, IND_BYTES);
    x->comment = reader_text(reader, rows, row, IND_COMMENT);
    place->relation->bytes += x->bytes;

    struct slot slot = { .oid = reader_oid(rows, row, IND_OID), .place = place, .name = x->name };
    slot.target = &x->definition;
    reader_slot(reader, SLOT_INDEX, slot);
    slot.target = &x->predicate;
    if (rows_bool(rows, row, IND_PARTIAL))
        reader_slot(reader, SLOT_PREDICATE, slot);
}

/* Triggers that a partitioned table's trigger made on its partitions follow it. */
static const char triggers_sql[] =
    "SELECT t.tgrelid, t.oid, t.tgname, t.tgenabled, n.nspname, p.proname,"
    " CASE WHEN t.tgqual IS NULL THEN pg_get_triggerdef(t.oid) END"
    " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN spaces s ON s.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid"
    " JOIN pg_namespace n ON n.oid = p.pronamespace"
    " WHERE NOT t.tgisinternal AND t.tgparentid = 0 ORDER BY t.tgrelid";

static void set_trigger(struct reader *reader, const struct rows *rows, size_t row,
                        const struct place *place, void *part)
{
    struct trigger *t = part;

    t->name = reader_text(reader, rows, row, 2);
    t->enabled = reader_char(rows, row, 3);
    t->function =
        object_name_join(reader->catalog, rows_text(rows, row, 4), rows_text(rows, row, 5));
    t->definition = reader_text(reader, rows, row, 6);
    if (!t->definition)
        reader_slot(reader, SLOT_TRIGGER,
                    (struct slot){ .oid = reader_oid(rows, row, 1),
                                   .place = place,
                                   .name = t->name,
                                   .target = &t->definition });
}

static const char policies_sql[] =
    "SELECT p.polrelid, p.oid, p.polname, p.polcmd, p.polpermissive,"
    " ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END"
    " FROM unnest(p.polroles) r)::text[], p.polqual IS NOT NULL, p.polwithcheck IS NOT NULL"
    " FROM pg_policy p ORDER BY p.polrelid";

static void set_policy(struct reader *reader, const struct rows *rows, size_t row,
                       const struct place *place, void *part)
{
    struct policy *p = part;
    struct slot slot = { .oid = reader_oid(rows, row, 1), .place = place };

    p->name = slot.name = reader_text(reader, rows, row, 2);
    p->command = reader_char(rows, row, 3);
    p->permissive = rows_bool(rows, row, 4);
    p->roles = reader_texts(reader, rows, row, 5);
    slot.target = &p->using_expr;
    if (rows_bool(rows, row, 6))
        reader_slot(reader, SLOT_USING, slot);
    slot.target = &p->check_expr;
    if (rows_bool(rows, row, 7))
        reader_slot(reader, SLOT_CHECK, slot);
}

static void set_extra(struct reader *reader, const struct rows *rows, size_t row,
                      const struct place *place, void *part)
{
    struct extra *x = part;

    (void)place;
    x->name = reader_text(reader, rows, row, 1);
    x->sql = reader_text(reader, rows, row, 2);
}

/* Rules and extended statistics are lists of texts. */
static void set_text(struct reader *reader, enum slot_kind kind, const struct rows *rows,
                     size_t row, struct slot slot)
{
    *slot.target = "";
    slot.oid = reader_oid(rows, row, 1);
    slot.name = reader_text(reader, rows, row, 2);
    reader_slot(reader, kind, slot);
}

static void set_rule(struct reader *reader, const struct rows *rows, size_t row,
                     const struct place *place, void *part)
{
    set_text(reader, SLOT_RULE, rows, row, (struct slot){ .place = place, .target = part });
}

static void set_statistics(struct reader *reader, const struct rows *rows, size_t row,
                           const struct place *place, void *part)
{
    set_text(reader, SLOT_STATISTICS, rows, row, (struct slot){ .place = place, .target = part });
}

/* A partitioned table is as large as its partitions, and has as many rows where it was never
 * analyzed itself. */
static void sum_partitions(struct reader *reader)
{
    for (size_t i = 0; i < reader->place_count; i++) {
        const struct relation *r = reader->places[i].relation;

        for (const struct place *up = reader->places[i].parent; up && r->kind != 'p';
             up = up->parent) {
            if (up->relation->kind != 'p')
                continue;
            up->relation->bytes += r->bytes;
            if (!up->rows_known && r->rows >= 0)
                up->relation->rows = (up->relation->rows < 0 ? 0 : up->relation->rows) + r->rows;
        }
    }
}

bool catalog_read_parts(struct reader *reader, struct error *err)
{
    SCOPE(tmp);
    const char *indexes =
        mem_printf(tmp, indexes_sql, reader->version >= 150000 ? "i.indnullsnotdistinct" : "false");

    bool good =
        read_parts(reader, constraints_sql, PARTS(constraints, constraint_count, struct constraint),
                   set_constraint, err) &&
        read_parts(reader, indexes, PARTS(indexes, index_count, struct index), set_index, err) &&
        read_parts(reader, triggers_sql, PARTS(triggers, trigger_count, struct trigger),
                   set_trigger, err) &&
        read_parts(reader, catalog_extras_sql, PARTS(extras, extra_count, struct extra), set_extra,
                   err) &&
        read_parts(reader, policies_sql, PARTS(policies, policy_count, struct policy), set_policy,
                   err) &&
        read_parts(reader,
                   "SELECT ev_class, oid, rulename FROM pg_rewrite WHERE rulename <> '_RETURN'"
                   " ORDER BY ev_class, rulename",
                   PARTS(rules.items, rules.count, const char *), set_rule, err) &&
        read_parts(reader,
                   "SELECT stxrelid, oid, stxname FROM pg_statistic_ext"
                   " ORDER BY stxrelid, stxname",
                   PARTS(statistics.items, statistics.count, const char *), set_statistics, err);
    sum_partitions(reader);
    return good;
}
