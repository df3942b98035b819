#include "controller/work/reach.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"

const char *column_option(const struct column *column, const char *option)
{
    size_t length = strlen(option);
    for (const char *at = column->options; at && *at;) {
        if (strncmp(at, option, length) == 0 && at[length] == '=') {
            return at + length + 1;
        }
        const char *comma = strchr(at, ',');
        at = comma ? comma + 1 + strspn(comma + 1, " ") : NULL;
    }
    return NULL;
}

bool reaches(const struct intent *intent, const char *service)
{
    if (text_eq(service, intent->service)) {
        return true;
    }
    for (size_t i = 0; i < intent->propagate_to.count; i++) {
        if (text_eq(intent->propagate_to.items[i], service)) {
            return true;
        }
    }
    return intent->propagate && intent->propagate_to.count == 0;
}

bool left_behind(struct work *work, const struct reader *reader, const struct relation *relation,
                 const char *column)
{
    const char *service = reader->state->service;
    if (reaches(work->intent, service)) {
        return false;
    }
    work_note(work, "warning", "propagate",
              "%s: foreign table %s goes on reading %s.%s as it was, because propagate says so",
              service, reader->relation->name, relation->name, column);
    return true;
}

static bool edge_meets(const struct graph_edge *edge, const struct state *state,
                       const struct relation *relation, const char *column)
{
    return text_eq(edge->to.service, state->service) && text_eq(edge->to.name, relation->name) &&
           (!edge->to.schema || text_eq(edge->to.schema, relation->schema)) &&
           (!column || !edge->to.column || text_eq(edge->to.column, column));
}

/* One step asks a service about everything that the part takes away. */
struct asked {
    const struct state *state;
    const char *from;
    struct step *step;
    struct step_texts columns, reasons;
};

static struct asked *ask(struct work *work, const struct state *state, const char *from)
{
    for (size_t i = 0; i < work->asked_count; i++) {
        if (text_eq(work->asked[i].state->service, state->service) &&
            text_eq(work->asked[i].from, from)) {
            return &work->asked[i];
        }
    }
    struct step *step = work_step(work, state, PHASE_CONTRACT, "", "");
    step->kind = STEP_ACKNOWLEDGE;
    step->transaction = false;
    step->tags = TAG_NEUTRAL;
    step->from = mem_text(work->ctx, from);
    step->estimate.ms = 0;
    work->asked = mem_room(work->ctx, work->asked, struct asked, work->asked_count + 1);
    work->asked[work->asked_count] = (struct asked){ state, step->from, step, { 0 }, { 0 } };
    return &work->asked[work->asked_count++];
}

static void add_once(const struct work *work, struct step_texts *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (text_eq(list->items[i], text)) {
            return;
        }
    }
    step_texts_add(work->ctx, list, text);
}

static const char *joined(const struct work *work, const struct step_texts *list, const char *by)
{
    struct text t = text_init(work->ctx, TEXT_SQL);
    for (size_t i = 0; i < list->count; i++) {
        text_addf(&t, "%s%s", i ? by : "", list->items[i]);
    }
    return t.data;
}

void acknowledge(struct work *work, const struct state *state, const struct relation *relation,
                 const char *column)
{
    const struct graph *graph = work->input->graph;
    const char *words = column_words(work, relation, column);
    struct asked *own = ask(work, state, state->service);
    add_once(work, &own->columns, words);
    own->step->what = say(work,
                          "%s says that its own deployed versions live with the new shape of %s "
                          "(`flotilla ack %s --plan PLAN`)",
                          state->service, joined(work, &own->columns, ", "), state->service);
    own->step->why = "Contract takes the old shape away; only the owners know what is deployed";
    for (size_t i = 0; graph && i < graph->edge_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        const char *from = edge->from.service;
        bool asks = edge->kind == EDGE_REFERENCE || edge->kind == EDGE_CONSUME ||
                    edge->kind == EDGE_FOREIGN_TABLE;
        if (!asks || !edge_meets(edge, state, relation, column) || text_eq(from, state->service)) {
            continue;
        }
        struct asked *other = ask(work, state, from);
        add_once(work, &other->columns, say(work, "%s:%s", state->service, words));
        add_once(
            work, &other->reasons,
            say(work, "%s %s", edge_kind_name(edge->kind), edge->evidence ? edge->evidence : ""));
        other->step->what = say(work,
                                "%s says that its deployed versions live with the new shape of %s "
                                "(`flotilla ack %s --plan PLAN`)",
                                from, joined(work, &other->columns, ", "), from);
        other->step->why =
            say(work, "It depends on the column: %s", joined(work, &other->reasons, "; "));
    }
}

static const char *remote_column(const struct column *column)
{
    const char *option = column_option(column, "column_name");
    return option ? option : column->name;
}

/* An option's text ends at the next comma or at the end. */
static bool option_is(const char *option, const char *text)
{
    size_t length = strlen(text);
    return strncmp(option, text, length) == 0 && (option[length] == 0 || option[length] == ',');
}

size_t foreign_readers(struct work *work, const struct state *state,
                       const struct relation *relation, const char *column, struct reader **out)
{
    const struct graph *graph = work->input->graph;
    struct reader *all = NULL;
    size_t count = 0;
    for (size_t i = 0; graph && i < graph->edge_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        if (edge->kind != EDGE_FOREIGN_TABLE || !edge_meets(edge, state, relation, NULL)) {
            continue;
        }
        struct state *other = work_state(work, edge->from.service);
        struct relation *table =
            other ? catalog_relation(other->catalog, edge->from.schema, edge->from.name) : NULL;
        bool known = !table || table->kind != 'f';
        for (size_t k = 0; k < count && !known; k++) {
            known = all[k].relation == table;
        }
        if (known) {
            continue;
        }
        struct column *found = NULL;
        for (size_t k = 0; k < table->column_count; k++) {
            if (option_is(remote_column(&table->columns[k]), column)) {
                found = &table->columns[k];
            }
        }
        all = mem_room(work->ctx, all, struct reader, count + 1);
        all[count++] = (struct reader){ other, table, found };
    }
    *out = all;
    return count;
}

bool no_published_list(struct work *work, const struct state *state,
                       const struct relation *relation, const char *column)
{
    const char *list = say(work, "%s(", relation_key(work, relation));
    for (size_t i = 0; i < state->catalog->publication_count; i++) {
        const struct publication *publication = &state->catalog->publications[i];
        for (size_t k = 0; k < publication->tables.count; k++) {
            const char *table = publication->tables.items[k];
            if (text_starts(table, list) && column_mentioned(table + strlen(list), column)) {
                return work_refuse(work,
                                   say(work,
                                       "take %s out of it, or the list off, with ALTER PUBLICATION "
                                       "%s, make this change, and put it back after",
                                       column, ident(work, publication->name)),
                                   "publication %s names %s in its list of columns, and the list "
                                   "would stay with the old column",
                                   publication->name, column_words(work, relation, column));
            }
        }
    }
    return true;
}

bool no_subscriber(struct work *work, const struct state *state, const struct relation *relation)
{
    const struct graph *graph = work->input->graph;
    for (size_t i = 0; graph && i < graph->edge_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        if (edge->kind == EDGE_PUBLICATION && edge_meets(edge, state, relation, NULL) &&
            !text_eq(edge->from.service, state->service)) {
            return work_refuse(work,
                               "add the column on the subscriber first, by hand; see the manual's "
                               "page on logical replication",
                               "service %s subscribes to %s:%s (%s): a new column at the publisher "
                               "stops its subscription, and this version cannot plan both sides",
                               edge->from.service, state->service, relation->name,
                               edge->evidence ? edge->evidence : "publication");
        }
    }
    return true;
}
