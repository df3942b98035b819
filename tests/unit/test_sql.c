/* The SQL facts: splitting, statements, DDL structure, queries, bodies, newer grammar.
 */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/script.h"

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct script *parsed(const void *ctx, const char *sql)
{
    struct script *script = NULL;
    struct error err = { 0 };
    if (!sql_parse(ctx, sql, strlen(sql), &script, &err))
        fail_msg("%s: %s", sql, err.message);
    return script;
}

static struct statement *one(const void *ctx, const char *sql)
{
    struct script *script = parsed(ctx, sql);
    if (script->count != 1)
        fail_msg("%s: %zu statements", sql, script->count);
    if (script->statements[0].problem)
        fail_msg("%s: %s", sql, script->statements[0].problem->message);
    return &script->statements[0];
}

static struct sql_alter *alter(const void *ctx, const char *sql)
{
    struct statement *s = one(ctx, sql);
    assert_int_equal(s->kind, SQL_STMT_ALTER_TABLE);
    assert_true(s->alter_count >= 1);
    return &s->alters[0];
}

static void splits_what_is_hard_to_split(void **state)
{
    (void)state;
    SCOPE(tmp);
    const char *sql = "-- first\nSELECT ';' AS a;\n\n"
                      "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC\n"
                      "  SELECT CASE WHEN true THEN 1 ELSE 2 END; SELECT 3;\nEND;\n"
                      "CREATE RULE r AS ON DELETE TO t DO INSTEAD (SELECT 1; SELECT 2);\n"
                      "\\set x 1\n"
                      "COPY t FROM stdin;\n1\t;'\n\\N\n\\.\n"
                      "DO $body$ BEGIN PERFORM 1; END $body$;;\n"
                      "/* a /* nested */ ; */ SELECT \"a;b\" FROM t\n";
    static const struct {
        int line;
        enum sql_statement_kind kind;
    } want[] = { { 2, SQL_STMT_SELECT },      { 4, SQL_STMT_CREATE_FUNCTION },
                 { 7, SQL_STMT_CREATE_RULE }, { 8, SQL_STMT_PSQL },
                 { 9, SQL_STMT_COPY },        { 13, SQL_STMT_DO },
                 { 14, SQL_STMT_SELECT } };
    struct script *script = parsed(tmp, sql);
    assert_int_equal(script->count, 7);
    for (size_t i = 0; i < script->count; i++) {
        const struct statement *s = &script->statements[i];
        assert_null(s->problem);
        assert_int_equal(s->index, i + 1);
        assert_int_equal(s->line, want[i].line);
        assert_int_equal(s->kind, want[i].kind);
        assert_memory_equal(s->sql, sql + s->offset, s->length);
    }
    assert_int_equal(script->statements[4].data_lines, 2);
    assert_int_equal(script->comment_count, 2);
    assert_string_equal(script->comments[0].text, "first");
    assert_true(script->comments[0].own_line);
}

static void one_bad_statement_spoils_no_other(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct script *s = parsed(tmp, "SELECT 1;\nALTER TABEL t;\nSELECT 'ä' FORM t x y;\nSELECT 2");
    assert_int_equal(s->count, 4);
    assert_null(s->statements[0].problem);
    assert_int_equal(s->statements[1].problem->line, 2);
    assert_int_equal(s->statements[1].problem->offset, 16);
    assert_int_equal(s->statements[2].kind, SQL_STMT_UNPARSED);
    assert_null(s->statements[3].problem);

    struct error err = { 0 };
    struct script *none;
    assert_false(sql_parse(tmp, "SELECT \xff", 8, &none, &err));
    assert_false(sql_parse(tmp, "SELECT \0 1", 10, &none, &err));
    assert_int_equal(parsed(tmp, "  -- nothing\n")->count, 0);
    assert_non_null(parsed(tmp, "SELECT 'open")->statements[0].problem);
}

/* Measured: the parser dies of these on an ordinary stack. */
static void hostile_text_is_refused_not_fatal(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct text chain = text_init(tmp, TEXT_FILE), parens = text_init(tmp, TEXT_FILE);
    text_add(&chain, "SELECT 1");
    for (int i = 0; i < 15000; i++)
        text_add(&chain, "+1");
    assert_null(parsed(tmp, chain.data)->statements[0].problem);
    for (int i = 0; i < 200000; i++)
        text_add(&chain, "+1");
    text_add(&chain, ";SELECT 2");
    struct script *s = parsed(tmp, chain.data);
    assert_non_null(s->statements[0].problem);
    assert_null(s->statements[1].problem);
    text_add(&parens, "SELECT ");
    for (int i = 0; i < 50000; i++)
        text_addc(&parens, '(');
    assert_non_null(parsed(tmp, parens.data)->statements[0].problem);
    /* The plpgsql parser aborts on functions without a body string. */
    one(tmp, "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1");
    assert_non_null(one(tmp, "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql")->body->opaque);
}

static void add_column_has_all_its_parts(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct statement *s =
        one(tmp, "ALTER TABLE IF EXISTS ONLY App.\"T\" ADD COLUMN IF NOT EXISTS c varchar(50) "
                 "COLLATE \"C\" DEFAULT lower('X') || 'y' NOT NULL CONSTRAINT pos CHECK (c > '') "
                 "REFERENCES p (id, x) ON DELETE CASCADE, DROP COLUMN d CASCADE");
    assert_true(s->if_exists && s->only);
    assert_string_equal(s->name.schema, "app");
    assert_string_equal(s->name.name, "T");
    assert_int_equal(s->alter_count, 2);
    struct sql_column *c = s->alters[0].definition;
    assert_int_equal(s->alters[0].kind, SQL_ALTER_ADD_COLUMN);
    assert_true(s->alters[0].if_not_exists);
    assert_string_equal(c->name, "c");
    assert_string_equal(c->type, "character varying(50)");
    assert_string_equal(c->type_text, "varchar(50)");
    assert_string_equal(c->collation, "C");
    assert_string_equal(c->default_expr->text, "lower('X') || 'y'");
    assert_int_equal(c->default_expr->volatility, SQL_IMMUTABLE);
    assert_true(c->not_null);
    assert_int_equal(c->constraint_count, 2);
    assert_string_equal(c->constraints[0].name, "pos");
    assert_string_equal(c->constraints[0].expression->text, "c > ''");
    assert_string_equal(c->constraints[0].definition, "CHECK (c > '')");
    assert_int_equal(c->constraints[1].kind, 'f');
    assert_string_equal(c->constraints[1].ref.name, "p");
    assert_int_equal(c->constraints[1].on_delete, 'c');
    assert_int_equal(c->constraints[1].ref_columns.count, 2);
    assert_int_equal(s->alters[1].kind, SQL_ALTER_DROP_COLUMN);
    assert_string_equal(s->alters[1].column, "d");
    assert_true(s->alters[1].cascade);
}

static void sub_commands_are_told_apart(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct sql_alter *a = alter(tmp, "ALTER TABLE t ALTER c TYPE numeric(10,2) USING c::numeric "
                                     "* (1, 2), ALTER d SET DEFAULT now()");
    assert_int_equal(a[0].kind, SQL_ALTER_SET_TYPE);
    assert_string_equal(a[0].type, "numeric(10,2)");
    assert_string_equal(a[0].expression->text, "c::numeric * (1, 2)");
    assert_string_equal(a[1].expression->text, "now()");
    assert_int_equal(a[1].expression->volatility, SQL_STABLE);
    a = alter(tmp, "ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES p NOT VALID");
    assert_string_equal(a->constraint->definition, "FOREIGN KEY (a, b) REFERENCES p NOT VALID");
    assert_true(a->constraint->not_valid);
    assert_int_equal(a->constraint->columns.count, 2);
    a = alter(tmp, "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i");
    assert_string_equal(a->constraint->using_index, "i");
    assert_int_equal(a->constraint->kind, 'u');
    a = alter(tmp, "ALTER TABLE t ADD CHECK (a > 0 AND b IS NOT NULL AND (c IS NOT NULL))");
    assert_int_equal(a->constraint->expression->not_null.count, 2);
    a = alter(tmp, "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (1) TO (2)");
    assert_string_equal(a->other.name, "p1");
    assert_string_equal(a->bound, "FOR VALUES FROM (1) TO (2)");
    a = alter(tmp, "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY");
    assert_true(a->concurrently);
    a = alter(tmp, "ALTER TABLE t DISABLE TRIGGER ALL");
    assert_int_equal(a->kind, SQL_ALTER_DISABLE_TRIGGER);
    assert_true(a->all);
    a = alter(tmp, "ALTER TABLE t ALTER c ADD GENERATED BY DEFAULT AS IDENTITY");
    assert_int_equal(a->identity, 'd');
}

static void create_table_has_all_its_parts(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct statement *s =
        one(tmp, "CREATE TABLE IF NOT EXISTS s.t (id bigserial PRIMARY KEY, at timestamptz(3) "
                 "NULL DEFAULT NULL, g int GENERATED ALWAYS AS (id * 2) STORED, n int GENERATED "
                 "ALWAYS AS IDENTITY, UNIQUE (id, at), CONSTRAINT pos CHECK (id > 0), "
                 "EXCLUDE USING gist (id WITH =), LIKE other INCLUDING ALL) "
                 "PARTITION BY RANGE (at)");
    assert_int_equal(s->kind, SQL_STMT_CREATE_TABLE);
    assert_true(s->if_not_exists);
    struct sql_table *t = s->table;
    assert_int_equal(t->column_count, 4);
    assert_true(t->columns[0].serial && t->columns[0].not_null);
    assert_string_equal(t->columns[0].type, "bigserial");
    assert_int_equal(t->columns[0].constraints[0].kind, 'p');
    assert_string_equal(t->columns[1].type, "timestamp(3) with time zone");
    assert_true(t->columns[1].null && t->columns[1].default_expr->null);
    assert_int_equal(t->columns[2].generated, 's');
    assert_string_equal(t->columns[2].generate->text, "id * 2");
    assert_int_equal(t->columns[3].identity, 'a');
    assert_int_equal(t->constraint_count, 3);
    assert_string_equal(t->constraints[1].definition, "CHECK (id > 0)");
    assert_string_equal(t->like[0].name, "other");
    assert_string_equal(t->partition_by, "RANGE (at)");
    s = one(tmp, "CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('a', 'b') PARTITION BY HASH (x)");
    assert_string_equal(s->table->partition_of.name, "p");
    assert_string_equal(s->table->bound, "FOR VALUES IN ('a', 'b')");
    s = one(tmp, "CREATE TEMP TABLE x AS SELECT id FROM t WITH NO DATA");
    assert_int_equal(s->kind, SQL_STMT_CREATE_TABLE_AS);
    assert_true(s->temporary && !s->table->with_data);
    assert_string_equal(s->query_text, "SELECT id FROM t");
}

static void indexes_have_keys(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct sql_index *i =
        one(tmp, "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON ONLY s.t USING gin (a "
                 "text_pattern_ops DESC NULLS LAST, lower(b), (c || d)) INCLUDE (e) "
                 "WITH (fastupdate = off) WHERE a IS NOT NULL")
            ->create_index;
    assert_true(i->unique && i->concurrently && i->if_not_exists && i->only);
    assert_string_equal(i->table.name, "t");
    assert_string_equal(i->method, "gin");
    assert_int_equal(i->key_count, 3);
    assert_string_equal(i->keys[0].column, "a");
    assert_true(i->keys[0].descending && i->keys[0].nulls == 'l');
    assert_string_equal(i->keys[1].expression->text, "lower(b)");
    assert_string_equal(i->keys[2].expression->text, "c || d");
    assert_string_equal(i->include.items[0], "e");
    assert_string_equal(i->with, "fastupdate = off");
    assert_string_equal(i->where->text, "a IS NOT NULL");
}

static void drops_and_renames_name_their_objects(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct statement *s = one(tmp, "DROP TABLE IF EXISTS a, b.c CASCADE");
    assert_int_equal(s->object, SQL_OBJECT_TABLE);
    assert_true(s->if_exists && s->cascade);
    assert_int_equal(s->object_count, 2);
    assert_string_equal(s->objects[1].schema, "b");
    s = one(tmp, "DROP TRIGGER tg ON s.t");
    assert_string_equal(s->name.name, "t");
    assert_string_equal(s->sub_name, "tg");
    s = one(tmp, "ALTER TABLE s.t RENAME COLUMN a TO b");
    assert_int_equal(s->object, SQL_OBJECT_COLUMN);
    assert_string_equal(s->name.name, "t");
    assert_string_equal(s->sub_name, "a");
    assert_string_equal(s->new_name, "b");
    s = one(tmp, "ALTER SCHEMA a RENAME TO b");
    assert_string_equal(s->name.name, "a");
    s = one(tmp, "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'x' AFTER 'y'");
    assert_true(s->add_value && s->value_after);
    assert_string_equal(s->sub_name, "x");
    s = one(tmp, "COMMENT ON COLUMN t.a IS 'it''s'");
    assert_string_equal(s->sub_name, "a");
    assert_string_equal(s->text, "it's");
}

static bool reads(const struct sql_query *q, const char *relation, const char *column)
{
    for (size_t i = 0; i < q->read_count; i++)
        if (text_eq(q->reads[i].name, relation) && text_eq(q->reads[i].column, column))
            return true;
    return false;
}

static struct sql_query *query(const void *ctx, const char *sql)
{
    struct sql_query *q = NULL;
    struct error err = { 0 };
    if (!sql_query_reads(ctx, sql, &q, &err))
        fail_msg("%s: %s", sql, err.message);
    return q;
}

static void queries_say_what_they_read_and_write(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct sql_query *q = query(
        tmp, "WITH t AS (SELECT o.id, x.* FROM t JOIN s.o AS o ON o.tid = t.id, x), d AS (DELETE "
             "FROM gone WHERE id < 5 RETURNING id) SELECT a FROM t WHERE f(b) > nextval('sq')");
    assert_true(reads(q, "t", NULL));
    assert_true(reads(q, "o", "tid") && reads(q, "t", "id") && reads(q, "x", "*"));
    assert_false(reads(q, "gone", NULL));
    assert_false(reads(q, NULL, "a"));
    assert_int_equal(q->write_count, 1);
    assert_string_equal(q->writes[0].relation.name, "gone");
    assert_true(q->writes[0].deletes && q->writes[0].where && !q->writes[0].bounded);
    assert_true(sql_texts_have(&q->functions, "f"));
    assert_true(sql_texts_have(&q->sequences, "sq"));
    q = query(tmp, "SELECT a, b FROM u FOR UPDATE");
    assert_true(reads(q, "u", "a"));
    assert_string_equal(q->row_locks.items[0], "u");
    q = query(tmp, "SELECT a FROM u, v");
    assert_true(reads(q, NULL, "a"));
}

static bool bounded(const void *ctx, const char *sql)
{
    struct sql_query *q = query(ctx, sql);
    assert_int_equal(q->write_count, 1);
    return q->writes[0].bounded;
}

static void a_where_may_bound_a_write(void **state)
{
    (void)state;
    SCOPE(tmp);
    assert_true(bounded(tmp, "UPDATE t SET a = 1 WHERE id = 5"));
    assert_true(bounded(tmp, "DELETE FROM t WHERE id IN (1, 2)"));
    assert_true(bounded(tmp, "UPDATE t SET a = 1 WHERE id BETWEEN 1 AND 9"));
    assert_true(bounded(tmp, "UPDATE t SET a = 1 WHERE id >= 1 AND id < 9"));
    assert_true(bounded(tmp, "UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t LIMIT 9)"));
    assert_false(bounded(tmp, "UPDATE t SET a = b"));
    assert_false(bounded(tmp, "UPDATE t SET a = 1 WHERE a IS NULL"));
    assert_false(bounded(tmp, "UPDATE t SET a = u.b FROM u WHERE u.id = t.id"));
    assert_false(bounded(tmp, "DELETE FROM t WHERE at < now()"));
    assert_string_equal(query(tmp, "UPDATE t SET a = 1, a = 2")->writes[0].duplicate, "a");
}

static void bodies_are_opened(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct statement *s = one(tmp, "DO $$ DECLARE r record; BEGIN ALTER TABLE t ADD c int; "
                                   "EXECUTE 'DROP ' || 'TABLE \"x\"'; EXECUTE format('DROP %I', "
                                   "r.a); FOR r IN SELECT id FROM u LOOP NULL; END LOOP; COMMIT; "
                                   "END $$");
    assert_null(s->body->opaque);
    assert_true(s->body->commits);
    struct script *in = s->body->script;
    assert_int_equal(in->count, 3);
    assert_int_equal(in->statements[0].kind, SQL_STMT_ALTER_TABLE);
    assert_int_equal(in->statements[1].kind, SQL_STMT_DROP);
    assert_string_equal(in->statements[1].name.name, "x");
    assert_int_equal(in->statements[2].kind, SQL_STMT_SELECT);
    assert_int_equal(s->body->dynamic.count, 1);
    s = one(tmp, "CREATE FUNCTION f(a int) RETURNS SETOF int LANGUAGE plpgsql SECURITY DEFINER SET "
                 "search_path = '' STABLE AS 'BEGIN RETURN QUERY SELECT a FROM t; RETURN; END'");
    assert_true(s->body->security_definer && s->body->sets_search_path);
    assert_int_equal(s->body->volatility, SQL_STABLE);
    assert_non_null(s->body->script);

    /* The parser's PL/pgSQL knows no polymorphic results: a second look finds what stands plainly.
     */
    s = one(tmp,
            "CREATE FUNCTION f(a anyarray, OUT b anyarray) RETURNS SETOF anyarray LANGUAGE "
            "plpgsql AS $$ DECLARE x text COLLATE \"C\"; BEGIN SELECT a.b INTO x FROM t a; IF x "
            "THEN DELETE FROM u; END IF; RETURN NEXT; END $$");
    assert_null(s->body->opaque);
    assert_int_equal(s->body->script->count, 2);
    assert_null(s->body->script->statements[0].problem);
    assert_int_equal(s->body->script->statements[0].kind, SQL_STMT_SELECT);
    assert_int_equal(s->body->script->statements[1].kind, SQL_STMT_DELETE);
    assert_non_null(one(tmp, "DO $$ BEGIN DROP TABLE t; garbage here; END $$")->body->opaque);

    struct sql_query *q = NULL;
    struct error err = { 0 };
    bool opaque = true;
    assert_true(sql_body_reads(tmp, "plpgsql",
                               "BEGIN IF EXISTS (SELECT 1 FROM v WHERE v.k = NEW.k) THEN "
                               "INSERT INTO log SELECT NEW.id; END IF; RETURN NEW; END",
                               &q, &opaque, &err));
    assert_false(opaque);
    assert_true(reads(q, "v", "k"));
    assert_string_equal(q->writes[0].relation.name, "log");
}

static void newer_grammar_is_understood(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct statement *s = one(tmp, "ALTER TABLE t ADD CONSTRAINT nn NOT NULL a NOT VALID");
    assert_int_equal(s->min_version, 18);
    assert_int_equal(s->alters[0].constraint->kind, 'n');
    assert_string_equal(s->alters[0].constraint->name, "nn");
    assert_true(s->alters[0].constraint->not_valid);
    assert_string_equal(s->alters[0].constraint->columns.items[0], "a");
    s = one(tmp, "ALTER TABLE t ADD g int GENERATED ALWAYS AS (a * 2) VIRTUAL");
    assert_int_equal(s->alters[0].definition->generated, 'v');
    s = one(tmp, "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a * 2))");
    assert_int_equal(s->table->columns[1].generated, 'v');
    s = one(tmp, "ALTER TABLE t ALTER COLUMN g SET EXPRESSION AS (a * 3)");
    assert_int_equal(s->alters[0].kind, SQL_ALTER_SET_EXPRESSION);
    assert_int_equal(s->min_version, 17);
    s = one(tmp, "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT ENFORCED");
    assert_true(s->alters[0].constraint->not_enforced);
    assert_int_equal(one(tmp, "SELECT 0x1F, 1_000_000")->min_version, 16);
    assert_int_equal(one(tmp, "SELECT * FROM (SELECT 1)")->min_version, 16);
    assert_int_equal(
        one(tmp, "ALTER TABLE t ADD g int GENERATED ALWAYS AS (a) STORED")->min_version, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_what_is_hard_to_split),
        cmocka_unit_test(one_bad_statement_spoils_no_other),
        cmocka_unit_test(hostile_text_is_refused_not_fatal),
        cmocka_unit_test(add_column_has_all_its_parts),
        cmocka_unit_test(sub_commands_are_told_apart),
        cmocka_unit_test(create_table_has_all_its_parts),
        cmocka_unit_test(indexes_have_keys),
        cmocka_unit_test(drops_and_renames_name_their_objects),
        cmocka_unit_test(queries_say_what_they_read_and_write),
        cmocka_unit_test(a_where_may_bound_a_write),
        cmocka_unit_test(bodies_are_opened),
        cmocka_unit_test(newer_grammar_is_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
