#include "controller/sql/ast.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

const PgQuery__DefElem *ast_option(size_t n, PgQuery__Node *const *nodes, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (nodes[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            text_eq(nodes[i]->def_elem->defname, name)) {
            return nodes[i]->def_elem;
        }
    }
    return NULL;
}

const char *ast_option_text(const void *ctx, const PgQuery__DefElem *option)
{
    const PgQuery__Node *arg = option ? option->arg : NULL;
    switch (arg ? arg->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_STRING: return mem_text(ctx, arg->string->sval);
    case PG_QUERY__NODE__NODE_INTEGER: return mem_printf(ctx, "%d", arg->integer->ival);
    case PG_QUERY__NODE__NODE_FLOAT: return mem_text(ctx, arg->float_->fval);
    case PG_QUERY__NODE__NODE_BOOLEAN: return arg->boolean->boolval ? "true" : "false";
    case PG_QUERY__NODE__NODE_TYPE_NAME: return ast_type(ctx, arg->type_name);
    case PG_QUERY__NODE__NODE_LIST: {
        struct sql_name name = ast_name(ctx, arg);
        return sql_name_text(ctx, name);
    }
    default: return NULL;
    }
}

bool ast_option_on(size_t n, PgQuery__Node *const *nodes, const char *name)
{
    const PgQuery__DefElem *option = ast_option(n, nodes, name);
    if (!option || !option->arg) {
        return option != NULL;
    }
    SCOPE(tmp);
    const char *value = ast_option_text(tmp, option);
    return !(text_eq(value, "false") || text_eq(value, "off") || text_eq(value, "0"));
}
