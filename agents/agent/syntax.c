/* The operation `syntax`: whether this server's grammar knows statements, none of which is run. */
#include "agents/pg/syntax.h"
#include "agents/agent/handlers.h"
#include "agents/agent/scratch.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"

static bool question_read(const json_t *item, struct syntax_question *out, struct error *err)
{
    return json_need_text(item, "sql", &out->sql, err) &&
           json_may_text(item, "language", &out->language, err);
}

static bool ask_all(struct connection *db, const json_t *questions, json_t *answers,
                    struct error *err)
{
    SCOPE(tmp);
    size_t i;
    json_t *item;
    json_array_foreach(questions, i, item) {
        struct syntax_question question = { 0 };
        struct syntax_answer answer;
        if (!question_read(item, &question, err))
            return fail_in(err, "questions[%zu]", i);
        if (!syntax_ask(tmp, db, &question, &answer, err))
            return false;
        json_t *said = json_object();
        json_set_text(said, "verdict", syntax_verdict_name(answer.verdict));
        json_set_text(said, "why", answer.why);
        json_array_append_new(answers, said);
    }
    return true;
}

bool handle_syntax(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                   struct error *err)
{
    SCOPE(tmp);
    const struct agent_database *database = NULL;
    struct scratch *scratch = NULL;
    struct connection *db = NULL;
    json_t *questions = NULL;
    (void)reply;
    if (!agent_args_database(agent, args, &database, err) ||
        !json_need_array(args, "questions", &questions, err))
        return false;
    if (json_array_size(questions) > SYNTAX_QUESTIONS_MAX)
        return fail(err, ERROR_INVALID, "questions: at most %d at once", SYNTAX_QUESTIONS_MAX);
    json_t *answers = json_own(tmp, json_array());
    if (!scratch_open(tmp, agent->config, database, &scratch, err) ||
        !scratch_connect(tmp, scratch, &db, err) || !syntax_begin(db, err) ||
        !ask_all(db, questions, answers, err))
        return false;
    *result = json_object();
    json_set_int(*result, "version", connection_facts(db)->server_version);
    json_object_set(*result, "answers", answers);
    talloc_free(db); /* before the database it is in */
    return true;
}
