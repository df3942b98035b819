#include "controller/check/discharge.h"

#include "agents/base/text.h"

#define WAITS                                                                                    \
    "the agent asks for the step's locks at once, waits at most the lock budget, gives them up " \
    "and tries again"
#define HOLDS                                                                                      \
    "the agent waits at most the lock budget, and by the estimate the step is through within it: " \
    "nothing in it reads or writes a table from end to end"
#define WORD_GIVEN   "its services have said that they live without it (`flotilla ack`)"
#define MADE_BY_PLAN "the plan itself made it, in an earlier step; nobody else depends on it"
#define PUT_ASIDE                                                                                   \
    "its services have said that they live without it, or it holds no rows and goes when a person " \
    "promotes contract; it is put aside whole, into the schema flotilla"
#define TAKES_BACK "it takes back what the step did, which is what going back means"
#define SHELL                                                                                   \
    "ONLY on a partitioned table, which has no rows of its own, builds nothing; it takes over " \
    "the indexes that its partitions have"
#define GOES "every column it is about goes away later in the plan and has no users left"

/* clang-format off */
static const struct discharge rows[] = {
    { "add-json-column", EVIDENCE_UNDO, TAKES_BACK },
    { "backfill-unbatched", EVIDENCE_BATCHES, "it is a backfill: the agent cuts the one UPDATE into small batches and lets others go first" },
    { "check-validating", EVIDENCE_LATER, "it is added NOT VALID, and a later step validates it in a transaction of its own, without a strong lock" },
    { "default-change", EVIDENCE_GOES_ALONG, GOES },
    { "default-change", EVIDENCE_OWN, MADE_BY_PLAN },
    { "default-change", EVIDENCE_UNDO, TAKES_BACK },
    { "delete-unbounded", EVIDENCE_SNAPSHOT, "a snapshot of the table was taken and compared before; going back restores it" },
    { "drop-column", EVIDENCE_COPY, "another column was proven to say the same in every row and a trigger has kept them equal since, and its services have said that they live without it" },
    { "drop-column", EVIDENCE_DERIVED, "it is computed from other columns, so nothing is lost, and its services have said that they live without it" },
    { "drop-column", EVIDENCE_OWN, "on the way back: the plan itself added it, so the database is as before" },
    { "drop-column", EVIDENCE_SNAPSHOT, "its services have said that they live without it, and a snapshot of it was taken and compared before; going back restores it" },
    { "drop-constraint", EVIDENCE_GOES_ALONG, GOES },
    { "drop-constraint", EVIDENCE_OWN, MADE_BY_PLAN },
    { "drop-constraint", EVIDENCE_REBUILT, "the way back adds the same constraint again, NOT VALID first" },
    { "drop-constraint", EVIDENCE_REMADE, "a constraint of the same name and kind is there again at the end of the transaction" },
    { "drop-not-null", EVIDENCE_GOES_ALONG, GOES },
    { "drop-not-null", EVIDENCE_OWN, MADE_BY_PLAN },
    { "drop-not-null", EVIDENCE_UNDO, TAKES_BACK },
    { "drop-object", EVIDENCE_GOES_ALONG, GOES },
    { "drop-object", EVIDENCE_OWN, MADE_BY_PLAN },
    { "drop-object", EVIDENCE_REMADE, "it is made again, as it was, in the same transaction: nobody sees it missing" },
    { "drop-object", EVIDENCE_WORD, WORD_GIVEN ", and the way back makes it again" },
    { "drop-schema", EVIDENCE_OWN, "on the way back: the plan itself made it, so the database is as before" },
    { "drop-table", EVIDENCE_OWN, "on the way back: the plan itself made it, so the database is as before" },
    { "drop-table", EVIDENCE_SNAPSHOT, "its services have said that they live without it, and a snapshot of all of it was taken and compared before" },
    { "dynamic-sql", EVIDENCE_KNOWN, "the block is one whose effect is known, word for word" },
    { "explicit-lock", EVIDENCE_BUDGET, HOLDS },
    { "fk-missing-index", EVIDENCE_AS_BEFORE, "the column that it replaces has a foreign key without an index as well: nothing gets worse" },
    { "fk-missing-index", EVIDENCE_INDEXED, "another step builds the index, CONCURRENTLY" },
    { "fk-parent-lock", EVIDENCE_WAIT, WAITS },
    { "fk-validating", EVIDENCE_LATER, "it is added NOT VALID, and a later step validates it in a transaction of its own, without a strong lock" },
    { "function-change", EVIDENCE_FOLLOWS, "its definition stays word for word, but for the names of columns that this transaction renames" },
    { "function-change", EVIDENCE_OWN, MADE_BY_PLAN },
    { "grant-change", EVIDENCE_SAME_RIGHTS, "the role has this right on the relation, or on a column of it, already" },
    { "grant-change", EVIDENCE_UNDO, TAKES_BACK },
    { "hidden-ddl", EVIDENCE_READ, "every statement of the block was read, and judged like the others" },
    { "index-create-blocking", EVIDENCE_CONCURRENT, "it is built CONCURRENTLY, outside of any transaction; the agent removes what a failed build left" },
    { "index-drop-blocking", EVIDENCE_CONCURRENT, "it is dropped CONCURRENTLY, outside of any transaction" },
    { "index-dropped-perf", EVIDENCE_GOES_ALONG, "a column of it goes away later in the plan and has no users left, so no query uses the index" },
    { "index-dropped-perf", EVIDENCE_OWN, MADE_BY_PLAN },
    { "index-dropped-perf", EVIDENCE_REBUILT, "the way back builds the same index again, CONCURRENTLY" },
    { "invalid-index-leftover", EVIDENCE_LEFTOVER, "the agent drops an invalid index of that name before it builds" },
    { "missing-lock-timeout", EVIDENCE_WAIT, WAITS },
    { "multi-alter-same-table", EVIDENCE_WAIT, "the agent asks for the locks of the whole step at once: they are waited for once, too" },
    { "not-null-scan", EVIDENCE_PROVEN, "a validated CHECK, or NOT NULL as it stands, proves that there is no null: the server reads nothing" },
    { "not-valid-validate-same-txn", EVIDENCE_EARLIER, "the constraint was added in an earlier transaction: this one holds no strong lock while it reads" },
    { "pk-blocking", EVIDENCE_BUILT, "the index was built CONCURRENTLY before, on columns that are NOT NULL" },
    { "pk-blocking", EVIDENCE_SHELL, SHELL },
    { "policy-change", EVIDENCE_REMADE, "it is made again, as it was, in the same transaction: nobody sees it missing" },
    { "policy-change", EVIDENCE_UNDO, TAKES_BACK },
    { "privileges-lost", EVIDENCE_SAME_RIGHTS, "the same transaction grants every one of these rights again" },
    { "rename-column", EVIDENCE_EXCHANGE, "two columns that were proven equal, and kept so by a trigger, exchange names in one transaction, and the services have said that they live with it" },
    { "rename-column", EVIDENCE_TOMBSTONE, "its services have said that they live without it; the new name is its tombstone, dropped later in the plan" },
    { "rename-column", EVIDENCE_UNDO, TAKES_BACK },
    { "rename-schema", EVIDENCE_TOMBSTONE, PUT_ASIDE },
    { "rename-schema", EVIDENCE_UNDO, TAKES_BACK },
    { "rename-table", EVIDENCE_TOMBSTONE, PUT_ASIDE },
    { "rename-table", EVIDENCE_UNDO, TAKES_BACK },
    { "rename-enum-value", EVIDENCE_UNDO, TAKES_BACK },
    { "rename-object", EVIDENCE_TOMBSTONE, PUT_ASIDE },
    { "rename-object", EVIDENCE_UNDO, TAKES_BACK },
    { "stmt-after-strong-lock", EVIDENCE_BUDGET, HOLDS },
    { "trigger-lock", EVIDENCE_WAIT, WAITS },
    { "truncate", EVIDENCE_SNAPSHOT, "a snapshot of all of the table was taken and compared before; going back restores it" },
    { "type-narrowing", EVIDENCE_UNDO, TAKES_BACK "; the rows lie elsewhere, and were taken back first" },
    { "unique-blocking", EVIDENCE_BUILT, "the index was built CONCURRENTLY before" },
    { "unique-blocking", EVIDENCE_SHELL, SHELL },
    { "view-change", EVIDENCE_UNDO, TAKES_BACK },
};
/* clang-format on */

const struct discharge *discharges_all(size_t *count)
{
    *count = sizeof rows / sizeof *rows;
    return rows;
}

const struct discharge *discharge_named(const char *rule, const char *by)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (text_eq(rows[i].rule, rule) && text_eq(evidence_name(rows[i].by), by)) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *evidence_name(enum evidence evidence)
{
    static const char *const names[] = {
#define X(id, name, word) [EVIDENCE_##id] = name,
        EVIDENCE_KINDS(X)
#undef X
    };
    return names[evidence];
}
