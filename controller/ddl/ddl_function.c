/* CREATE and ALTER FUNCTION: the way back is what functions of that name are now. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/work/order.h"

/* Whatever has the name and was not there before goes. */
static const char *others_go(const struct ddl *d, const char *schema, const char *name)
{
    struct work *work = d->work;
    struct text known = text_init(work->ctx, TEXT_SQL);
    for (size_t i = 0; i < work->home->catalog->function_count; i++) {
        const struct function *f = &work->home->catalog->functions[i];
        if (text_eq(f->name, name) && text_eq(f->schema, schema)) {
            text_addf(&known, "%s%s", known.len ? ", " : "",
                      literal(work, f->arguments ? f->arguments : ""));
        }
    }
    const char *body =
        say(work,
            "DECLARE f pg_catalog.regprocedure; BEGIN FOR f IN SELECT oid FROM pg_catalog.pg_proc "
            "WHERE pronamespace = %s::pg_catalog.regnamespace AND proname = %s AND "
            "pg_catalog.pg_get_function_identity_arguments(oid) <> ALL (ARRAY[%s]::text[]) LOOP "
            "EXECUTE 'DROP ROUTINE ' || f; END LOOP; END",
            literal(work, ident(work, schema)), literal(work, name), known.data);
    return say(work, "DO %s", literal(work, body));
}

static bool is_made(const struct work *work, const struct function *f)
{
    return work_is_made(work, say(work, "function %s.%s", f->schema, f->name));
}

void ddl_back_functions(const struct ddl *d, const struct sql_name *name, struct ddl_back *back)
{
    struct work *work = d->work;
    size_t count;
    const struct function *any = model_function(work->home, name->schema, name->name, &count);
    const char *schema = any ? any->schema : ddl_schema(d, name);
    if (count == 0) {
        ddl_down(d, back, "DROP ROUTINE IF EXISTS %s", name_sql(work, schema, name->name));
        return;
    }
    ddl_down(d, back, "%s", others_go(d, schema, name->name));
    for (size_t i = 0; i < work->home->catalog->function_count; i++) {
        const struct function *f = &work->home->catalog->functions[i];
        if (!text_eq(f->name, name->name) || !text_eq(f->schema, schema) || is_made(work, f)) {
            continue;
        }
        if (!f->definition) {
            back->down.count = 0;
            back->why = say(work, "function %s cannot be made again as it was", f->name);
            return;
        }
        const char *kind = f->kind == 'p' ? "PROCEDURE" : "FUNCTION";
        const char *signature = say(work, "%s %s(%s)", kind, name_sql(work, f->schema, f->name),
                                    f->arguments ? f->arguments : "");
        ddl_down(d, back, "%s", f->definition);
        if (f->owner) {
            ddl_down(d, back, "ALTER %s OWNER TO %s", signature, ident(work, f->owner));
        }
    }
}

void ddl_function(struct ddl *d)
{
    struct ddl_back back = { .phase = PHASE_EXPAND };
    ddl_back_functions(d, &d->s->name, &back);
    if (text_eq(d->s->name.schema, "flotilla")) {
        step_texts_add(d->work->ctx, &back.before, pair_schema);
    }
    ddl_raw(d, d->s->sql, &back);
    order_made(d->work, d->s->name.name);
    ddl_follow(d, NULL);
}
