#include "controller/desk/plan_line.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

static void add(const void *ctx, struct plan_line *line, const struct part *part)
{
    for (size_t i = 0; i < part->step_count; i++) {
        line->steps = mem_room(ctx, line->steps, struct step, line->count + 1);
        struct step *step = &line->steps[line->count++];
        *step = part->steps[i];
        step->id = mem_printf(ctx, "%s/%s/%zu", phase_name(part->phase), part->service, i + 1);
    }
}

struct plan_line plan_line(const void *ctx, struct part *const *parts, size_t count,
                           const char *service)
{
    struct plan_line line = { NULL, 0 };
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        for (size_t i = 0; i < count; i++) {
            if (parts[i]->phase == phase && text_eq(parts[i]->service, service)) {
                add(ctx, &line, parts[i]);
            }
        }
    }
    return line;
}
