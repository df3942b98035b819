#include "controller/terminal/near.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

void near_add(const void *ctx, struct step_texts *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_eq(names->items[i], name))
            return;
    step_texts_add(ctx, names, name);
}

bool near_hint(struct error *err, const char *given, const struct step_texts *names)
{
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_LINE);
    const char *near = text_nearest(given, names->items, names->count);
    if (near)
        return fail_hint(err, "did you mean \"%s\"?", near);
    if (names->count == 0)
        return fail_hint(err, "there is none");
    for (size_t i = 0; i < names->count; i++)
        text_addf(&t, "%s%s", i ? ", " : "", names->items[i]);
    return fail_hint(err, "there %s: %s", names->count == 1 ? "is" : "are", t.data);
}
