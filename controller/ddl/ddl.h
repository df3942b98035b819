/*
 * Plain DDL. A script is read statement by statement beside the catalog as the statements before
 * leave it: what means a typed intent becomes one and goes to its family; everything else stays
 * SQL, with a way back made of the catalog as it is by then, and the model follows it. What is made
 * in the same change has no users yet: statements on it run as they stand.
 *
 * The compiler enters by compile_ddl(); the rest is for ddl*.c.
 */
#ifndef CONTROLLER_DDL_DDL_H
#define CONTROLLER_DDL_DDL_H

#include <jansson.h>

#include "controller/family/families.h"
#include "controller/sql/script.h"

struct ddl {
    struct work *work;
    const struct intent *source;
    const struct statement *s;
    bool guarded; /* inside of a DO block: nobody knows whether it runs */
};

/* What a statement that stays SQL needs beside itself. */
struct ddl_back {
    struct step_texts before; /* statements that run first, in the same transaction */
    struct step_texts down;   /* none: there is no way back, see why */
    const char *why;
    enum phase phase;
    bool alone; /* it cannot run in a transaction */
};

/* A statement of plain DDL: intents that mean it, compiled one by one (ddl_statement.c). */
void compile_ddl(struct work *work, const struct intent *source);
/* One statement of a script, or of a body. */
void ddl_statement(struct ddl *d);

/* --- reading (ddl.c) ------------------------------------------------------------------------- */

/* The typed intent of that operation with these fields (taken over) and the service. */
void ddl_intent(struct ddl *d, const char *operation, json_t *fields);
/* The same, unless the family refuses: then nothing has happened. */
bool ddl_try(struct ddl *d, const char *operation, json_t *fields);
/* The statement `sql` as it stands. */
void ddl_raw(struct ddl *d, const char *sql, const struct ddl_back *back);
bool ddl_refuse(struct ddl *d, const char *hint, const char *message);

/* The statement with CONCURRENTLY behind the first of these words, between spaces. */
const char *ddl_concurrently(const struct ddl *d, const char *words);

struct relation *ddl_relation(const struct ddl *d, const struct sql_name *name);
/* The relation was made by this change. */
bool ddl_made(const struct ddl *d, const struct relation *relation);
/* It was, and is not old enough to have users or many rows by when the statement at hand runs. */
bool ddl_young(const struct ddl *d, const struct relation *relation);
/* Quoted for SQL, with the schema that it has or will have. */
const char *ddl_name(const struct ddl *d, const struct sql_name *name);
const char *ddl_schema(const struct ddl *d, const struct sql_name *name);
/* As the change file names it. */
const char *ddl_table_text(const struct ddl *d, const struct sql_name *name);
struct type *ddl_type(const struct ddl *d, const struct sql_name *name);
json_t *ddl_texts(const struct sql_texts *texts);

/* Kinds of statements; each takes d->s. */
void ddl_alter(struct ddl *d); /* ddl_alter.c */
void ddl_index(struct ddl *d); /* ddl_index.c */
void ddl_drop(struct ddl *d);  /* ddl_drop.c */
void ddl_drop_raw(struct ddl *d);
void ddl_rename(struct ddl *d);   /* ddl_rename.c */
void ddl_create(struct ddl *d);   /* ddl_create.c */
void ddl_rows(struct ddl *d);     /* ddl_rows.c */
void ddl_body(struct ddl *d);     /* ddl_body.c: DO */
void ddl_enum(struct ddl *d);     /* ddl_enum.c: ALTER TYPE … VALUE */
void ddl_function(struct ddl *d); /* ddl_function.c: CREATE, ALTER */

/* CASCADE, one by one: what reads or references the column, or the relation (column null), or is
 * of the type, is dropped by an intent of its own, with a way back (ddl_cascade.c). */
void ddl_cascade_column(struct ddl *d, const struct relation *relation, const char *column);
void ddl_cascade_type(struct ddl *d, const struct type *type);
void ddl_cascade_function(struct ddl *d, const struct function *function);

/* --- ways back ------------------------------------------------------------------------------- */

void ddl_down(const struct ddl *d, struct ddl_back *back, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Of an action of ALTER TABLE that stays SQL (ddl_back_alter.c). */
struct ddl_back ddl_back_alter(const struct ddl *d, const struct sql_alter *alter,
                               struct relation *relation);
/* Of the rest (ddl_back.c). */
struct ddl_back ddl_back_other(const struct ddl *d);
struct ddl_back ddl_back_rename(const struct ddl *d); /* ddl_rename.c */
/* Functions of that name become what they are now. */
void ddl_back_functions(const struct ddl *d, const struct sql_name *name, struct ddl_back *back);

/* Statements that make an enum anew with the labels of the model; *why when that cannot be. */
void type_rebuild(struct work *work, const struct state *state, const struct type *type,
                  struct step_texts *down, const char **why);

/* --- the model (ddl_model.c) ----------------------------------------------------------------- */

/* What the statement, run as it stands, leaves behind. */
void ddl_follow(struct ddl *d, const struct sql_alter *alter);

#endif
