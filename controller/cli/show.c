#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/place.h"
#include "controller/terminal/plan_text.h"

enum { KEY_PHASE = 0x2000, KEY_FULL, KEY_RULES };

struct options {
    struct flags flags;
    const char *plan;
    struct plan_choice choice;
    bool full, rules;
};

static const struct argp_option option_list[] = {
    { "phase", KEY_PHASE, "PHASE", 0, "only expand, migrate or contract", 0 },
    { "full", KEY_FULL, NULL, 0, "with the SQL of every step (so is one service's or phase's)", 0 },
    { "rules", KEY_RULES, NULL, 0, "with what discharges each rule that a step meets, and where",
      0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_PHASE: o->choice.phase = usage_phase("--phase", arg, state); return 0;
    case KEY_FULL: o->full = true; return 0;
    case KEY_RULES: o->rules = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argument arguments[] = {
    { "PLAN", offsetof(struct options, plan), "which plan? flotilla show PLAN.yaml" },
    { 0 },
};

static const struct usage usage = {
    .takes = "PLAN",
    .text = "Show a plan: what happens to which database, in which order, and what is signed.\v"
            "Examples:\n"
            "  flotilla show widen.yaml\n"
            "  flotilla show widen.yaml --service orders\n"
            "  flotilla show widen.yaml --rules\n"
            "  flotilla show widen.yaml --format markdown\n",
    .arguments = arguments,
    .options = option_list,
    .parse = parse,
    .shows = SHOW_SERVICE,
    .formats = FORMAT_BIT(JSON) | FORMAT_BIT(YAML) | FORMAT_BIT(MARKDOWN),
};

/* The plan with only the chosen parts, for json and yaml: its digests stay those of the whole. */
static struct plan *narrowed(const void *ctx, const struct plan *plan, struct part **parts,
                             size_t count)
{
    struct plan *narrow = mem_new(ctx, struct plan);
    *narrow = *plan;
    for (int p = 0; p < PHASE_COUNT; p++) {
        narrow->phases[p] = (struct plan_phase){ mem_array(narrow, struct part *, count), 0 };
        for (size_t i = 0; i < count; i++)
            if (parts[i]->phase == (enum phase)p)
                narrow->phases[p].parts[narrow->phases[p].count++] = parts[i];
    }
    return narrow;
}

static void print_text(const struct options *o, const struct plan *plan, struct part **parts,
                       size_t count)
{
    const struct plan_view view = { .plan = plan, .path = o->plan, .rules = o->rules };
    bool full = o->full || o->rules || o->choice.service || o->choice.phase >= 0;
    plan_text_head(stdout, plan);
    for (size_t i = 0; i < count; i++) {
        if (full)
            plan_text_part(stdout, &view, parts[i]);
        else
            plan_text_brief(stdout, &view, parts[i]);
    }
}

static bool show(const struct options *o, struct error *err)
{
    SCOPE(tmp);
    struct plan *plan = NULL;
    struct part **parts = NULL;
    size_t count = 0;
    if (!place_plan(tmp, o->plan, &plan, err) ||
        !plan_choose(tmp, plan, &o->choice, &parts, &count, err))
        return false;
    const struct plan *narrow = narrowed(tmp, plan, parts, count);
    switch (o->flags.format) {
    case FORMAT_JSON: printf("%s\n", json_pretty(tmp, plan_to_json(tmp, narrow))); break;
    case FORMAT_YAML: fputs(plan_to_yaml(tmp, narrow), stdout); break;
    case FORMAT_MARKDOWN: plan_markdown(stdout, plan, parts, count); break;
    default: print_text(o, plan, parts, count); break;
    }
    return true;
}

int command_show(int argc, char **argv)
{
    struct options o = { .choice = { .phase = -1 } };
    struct error err;
    usage_read(&usage, argc, argv, &o.flags, &o);
    o.choice.service = o.flags.service;
    return show(&o, &err) ? EXIT_DONE : command_failed(argv[0], &err);
}
