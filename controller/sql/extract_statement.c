/* Which kind of node is read by which file. */
#include "controller/sql/extract.h"

const char *sql_statement_name(enum sql_statement_kind kind)
{
    static const char *const names[] = {
#define X(id, name) name,
        SQL_STATEMENTS(X)
#undef X
    };
    return names[kind];
}

void extract_statement(struct extract *x, const PgQuery__Node *node)
{
    const ast_message *m = ast_of(node);
    if (!m) {
        return;
    }
    const struct extract_entry *e = extract_table_entry(node->node_case);
    e = e ? e : extract_object_entry(node->node_case);
    e = e ? e : extract_code_entry(node->node_case);
    e = e ? e : extract_session_entry(node->node_case);
    x->out->kind = e ? e->kind : SQL_STMT_OTHER;
    if (e && e->read) {
        e->read(x, m);
    }
    x->out->min_version = statement_since(m);
}
