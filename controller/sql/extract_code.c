/* Functions, DO blocks, triggers, rules, policies. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name

static enum sql_volatility declared(const char *word)
{
    return text_eq(word, "immutable") ? SQL_IMMUTABLE
           : text_eq(word, "stable")  ? SQL_STABLE
                                      : SQL_VOLATILE;
}

static const char *lower(const void *ctx, const char *s)
{
    char *out = s ? talloc_strdup(ctx, s) : NULL;
    for (char *c = out; c && *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    }
    return out;
}

static const char *body_text(const void *ctx, const PgQuery__DefElem *as)
{
    const PgQuery__List *list = as ? AST_CAST(List, list, ast_of(as->arg)) : NULL;
    if (list && list->n_items > 0) { /* ('object file', 'symbol') or ('body') */
        return ast_text(ctx, ast_string(list->items[0]));
    }
    return as ? ast_option_text(ctx, as) : NULL;
}

static bool sets(size_t n, PgQuery__Node *const *options, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__DefElem *o = AST_CAST(DefElem, def_elem, ast_of(options[i]));
        const PgQuery__VariableSetStmt *set =
            o && text_eq(o->defname, "set")
                ? AST_CAST(VariableSetStmt, variable_set_stmt, ast_of(o->arg))
                : NULL;
        if (set && text_eq(set->name, name)) {
            return true;
        }
    }
    return false;
}

static void create_function(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateFunctionStmt *s = (const void *)m;
    struct sql_body *body = mem_new(x->ctx, struct sql_body);
    const PgQuery__DefElem *language = ast_option(s->n_options, s->options, "language");
    const PgQuery__DefElem *volatility = ast_option(s->n_options, s->options, "volatility");
    const PgQuery__DefElem *security = ast_option(s->n_options, s->options, "security");
    extract_main(x, s->is_procedure ? SQL_OBJECT_PROCEDURE : SQL_OBJECT_FUNCTION, SQL_CREATED,
                 ast_names(x->ctx, s->n_funcname, s->funcname));
    x->out->or_replace = s->replace;
    x->out->body = body;
    body->language = lower(x->ctx, ast_option_text(x->tmp, language));
    body->language = body->language ? body->language : "sql";
    body->text = body_text(x->ctx, ast_option(s->n_options, s->options, "as"));
    body->procedure = s->is_procedure;
    body->returns = ast_type(x->ctx, s->return_type);
    body->volatility = declared(ast_option_text(x->tmp, volatility));
    body->security_definer = security && text_eq(ast_option_text(x->tmp, security), "true");
    body->sets_search_path = sets(s->n_options, s->options, "search_path");
    if (s->sql_body) {
        extract_query(x, s->sql_body);
    } else {
        body_read(x, body, mem_textn(x->tmp, x->text + x->start, x->end - x->start));
    }
}

static void do_block(struct extract *x, const ast_message *m)
{
    const PgQuery__DoStmt *s = (const void *)m;
    struct sql_body *body = mem_new(x->ctx, struct sql_body);
    const PgQuery__DefElem *language = ast_option(s->n_args, s->args, "language");
    x->out->body = body;
    body->language = lower(x->ctx, ast_option_text(x->tmp, language));
    body->language = body->language ? body->language : "plpgsql";
    body->text = body_text(x->ctx, ast_option(s->n_args, s->args, "as"));
    body->volatility = SQL_VOLATILE;
    body_read(x, body, mem_textn(x->tmp, x->text + x->start, x->end - x->start));
}

static void alter_function(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterFunctionStmt *s = (const void *)m;
    extract_main(x, extract_kind(s->objtype), SQL_TARGET,
                 s->func ? ast_names(x->ctx, s->func->n_objname, s->func->objname)
                         : (struct sql_name){ NULL, NULL });
    struct sql_body *body = mem_new(x->ctx, struct sql_body);
    const PgQuery__DefElem *security = ast_option(s->n_actions, s->actions, "security");
    body->security_definer = security && text_eq(ast_option_text(x->tmp, security), "true");
    body->sets_search_path = sets(s->n_actions, s->actions, "search_path");
    x->out->body = body;
}

static void create_trigger(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateTrigStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_TRIGGER, SQL_TARGET, ast_range(x->ctx, s->relation));
    x->out->sub_name = ast_text(x->ctx, s->trigname);
    x->out->objects[0].kind = SQL_OBJECT_TABLE;
    x->out->or_replace = s->replace;
    extract_object(x, SQL_OBJECT_TRIGGER, SQL_CREATED, x->out->name, x->out->sub_name);
    extract_object(x, SQL_OBJECT_FUNCTION, SQL_REFERENCED,
                   ast_names(x->ctx, s->n_funcname, s->funcname), NULL);
    if (s->constrrel) {
        extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED, ast_range(x->ctx, s->constrrel), NULL);
    }
    x->out->values = ast_texts(x->ctx, s->n_columns, s->columns);
}

static void create_event_trigger(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateEventTrigStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_EVENT_TRIGGER, SQL_CREATED,
                 (struct sql_name){ NULL, ast_text(x->ctx, s->trigname) });
}

static void create_rule(struct extract *x, const ast_message *m)
{
    const PgQuery__RuleStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_RULE, SQL_TARGET, ast_range(x->ctx, s->relation));
    x->out->objects[0].kind = SQL_OBJECT_TABLE;
    x->out->sub_name = ast_text(x->ctx, s->rulename);
    x->out->or_replace = s->replace;
    extract_object(x, SQL_OBJECT_RULE, SQL_CREATED, x->out->name, x->out->sub_name);
    extract_query(x, m);
}

/* Columns of the table that an expression of a policy or trigger reads. */
static void columns_read(struct extract *x, const PgQuery__Node *node)
{
    if (!node) {
        return;
    }
    const struct sql_expression *e = extract_expression(x->ctx, node, NULL);
    for (size_t i = 0; i < e->columns.count; i++) {
        extract_object(x, SQL_OBJECT_COLUMN, SQL_READ, x->out->name, e->columns.items[i]);
    }
}

static void policy(struct extract *x, const ast_message *m)
{
    const PgQuery__CreatePolicyStmt *c = AST_CAST(CreatePolicyStmt, create_policy_stmt, m);
    const PgQuery__AlterPolicyStmt *a = AST_CAST(AlterPolicyStmt, alter_policy_stmt, m);
    extract_main(x, SQL_OBJECT_POLICY, SQL_TARGET,
                 ast_range(x->ctx, c   ? c->table
                                   : a ? a->table
                                       : NULL));
    x->out->objects[0].kind = SQL_OBJECT_TABLE;
    x->out->sub_name = ast_text(x->ctx, c ? c->policy_name : a ? a->policy_name : NULL);
    extract_object(x, SQL_OBJECT_POLICY, c ? SQL_CREATED : SQL_TARGET, x->out->name,
                   x->out->sub_name);
    columns_read(x, c ? c->qual : a ? a->qual : NULL);
    columns_read(x, c ? c->with_check : a ? a->with_check : NULL);
    extract_query(x, m);
}

static const struct extract_entry entries[] = {
    [NODE(CREATE_FUNCTION_STMT)] = { SQL_STMT_CREATE_FUNCTION, create_function },
    [NODE(ALTER_FUNCTION_STMT)] = { SQL_STMT_ALTER_FUNCTION, alter_function },
    [NODE(DO_STMT)] = { SQL_STMT_DO, do_block },
    [NODE(CREATE_TRIG_STMT)] = { SQL_STMT_CREATE_TRIGGER, create_trigger },
    [NODE(CREATE_EVENT_TRIG_STMT)] = { SQL_STMT_CREATE_EVENT_TRIGGER, create_event_trigger },
    [NODE(RULE_STMT)] = { SQL_STMT_CREATE_RULE, create_rule },
    [NODE(CREATE_POLICY_STMT)] = { SQL_STMT_CREATE_POLICY, policy },
    [NODE(ALTER_POLICY_STMT)] = { SQL_STMT_ALTER_POLICY, policy },
};

const struct extract_entry *extract_code_entry(PgQuery__Node__NodeCase node)
{
    const struct extract_entry *e =
        (size_t)node < sizeof entries / sizeof *entries ? &entries[node] : NULL;
    return e && e->read ? e : NULL;
}
