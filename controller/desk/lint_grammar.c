#include "controller/desk/lint_grammar.h"

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/session.h"

/* All questions of one process together: a file of garbage must not keep a person waiting. */
enum { ALL_MS = 20000 };

struct grammar {
    const char *dsn;
    const struct instance *instance;
    struct connection *connection;
    struct session *session;
    const char *failed; /* why there is no connection: not tried again */
    int64_t spent;      /* milliseconds */
};

static bool dsn_ask(struct grammar *g, const struct syntax_question *question,
                    struct syntax_answer *answer, struct error *err)
{
    struct connection_options options = { .conninfo = g->dsn, .tag = "lint" };
    if (!g->connection &&
        (!connection_open(g, &options, &g->connection, err) || !syntax_begin(g->connection, err))) {
        return false;
    }
    return syntax_ask(g, g->connection, question, answer, err);
}

static bool answer_read(struct grammar *g, const json_t *result, struct syntax_answer *answer,
                        struct error *err)
{
    const json_t *first = json_array_get(json_object_get(result, "answers"), 0);
    if (!first) {
        return fail(err, ERROR_PROTOCOL, "the agent answered no question");
    }
    *answer = (struct syntax_answer){
        .verdict = syntax_verdict_from_name(json_text_of(first, "verdict")),
        .version = (int)json_int_of(result, "version"),
        .why = mem_text(g, json_text_of(first, "why")),
    };
    return true;
}

static bool agent_ask(struct grammar *g, const struct syntax_question *question,
                      struct syntax_answer *answer, struct error *err)
{
    SCOPE(tmp);
    json_t *result = NULL;
    json_t *args =
        json_own(tmp, json_pack("{s:s, s:[{s:s, s:s*}]}", "database", g->instance->agent_database,
                                "questions", "sql", question->sql, "language", question->language));
    if (!g->session && !session_open(g, g->instance, NULL, &g->session, err)) {
        return false;
    }
    return session_call(g->session, tmp, &(struct call){ .op = OP_SYNTAX, .args = args }, &result,
                        err) &&
           answer_read(g, result, answer, err);
}

static bool ask(void *data, const struct syntax_question *question, struct syntax_answer *answer)
{
    struct grammar *g = data;
    struct error err;
    if (g->failed || g->spent > ALL_MS) {
        *answer = (struct syntax_answer){ .why = g->failed ? g->failed : "no time left to ask" };
        return false;
    }
    int64_t begun = clock_mono_ms();
    bool good = g->dsn ? dsn_ask(g, question, answer, &err) : agent_ask(g, question, answer, &err);
    g->spent += clock_mono_ms() - begun;
    if (!good) {
        g->failed = mem_printf(g, "the server could not be asked: %s", err.message);
        *answer = (struct syntax_answer){ .why = g->failed };
    }
    return good;
}

static void set(struct grammar *g, struct lint_options *options)
{
    options->ask = ask;
    options->ask_data = g;
}

void lint_grammar_of_dsn(const void *ctx, const char *dsn, struct lint_options *options)
{
    struct grammar *g = mem_new(ctx, struct grammar);
    g->dsn = dsn;
    set(g, options);
}

void lint_grammar_of_instance(const void *ctx, const struct instance *instance,
                              struct lint_options *options)
{
    struct grammar *g = mem_new(ctx, struct grammar);
    g->instance = instance;
    set(g, options);
}

const struct instance *lint_grammar_instance(const void *ctx, const struct catalogs *catalogs,
                                             const struct service_catalog *item)
{
    const struct service *service =
        catalogs->fleet ? fleet_service(catalogs->fleet, item->service) : NULL;
    const struct instance *const *instances = NULL;
    size_t count = service ? service_instances(ctx, service, catalogs->environment, &instances) : 0;
    for (size_t i = 0; i < count; i++) {
        if (text_eq(instances[i]->name, item->instance)) {
            return instances[i];
        }
    }
    return NULL;
}

void lint_grammar_of_catalog(const void *ctx, const struct catalogs *catalogs,
                             const struct service_catalog *item, struct lint_options *options)
{
    const struct instance *instance =
        catalogs->live ? lint_grammar_instance(ctx, catalogs, item) : NULL;
    if (catalogs->dsn) {
        lint_grammar_of_dsn(ctx, catalogs->dsn, options);
    } else if (instance) {
        lint_grammar_of_instance(ctx, instance, options);
    }
}
