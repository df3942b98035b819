#include "agents/base/yaml_stream.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Line and column of a byte; columns count characters, as libyaml's marks do. */
static void place_of(const char *data, size_t offset, int *line, int *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (data[i] == '\n') {
            (*line)++;
            *column = 1;
        } else if (((unsigned char)data[i] & 0xC0) != 0x80) {
            (*column)++;
        }
    }
}

static bool is_text(const char *data, size_t len, struct yaml_problems *problems)
{
    size_t good = text_utf8_prefix(data, len);
    if (good == len)
        return true;
    int line, column;
    place_of(data, good, &line, &column);
    yaml_complain_at(problems, line, column, "the byte 0x%02x is not UTF-8 text here",
                     (unsigned char)data[good]);
    return false;
}

bool yaml_stream_begin(struct yaml_stream *s, const char *data, size_t len,
                       struct yaml_problems *problems)
{
    *s = (struct yaml_stream){ .problems = problems };
    if (problems && !is_text(data, len, problems))
        return false;
    if (!yaml_parser_initialize(&s->parser)) {
        if (problems)
            yaml_complain_at(problems, 1, 1, "out of memory");
        return false;
    }
    yaml_parser_set_encoding(&s->parser, YAML_UTF8_ENCODING);
    /* An editor's byte order mark: with the encoding set, libyaml takes it for content. */
    size_t mark = text_starts(data, "\xEF\xBB\xBF") ? 3 : 0;
    yaml_parser_set_input_string(&s->parser, (const unsigned char *)data + mark, len - mark);
    return true;
}

void yaml_stream_end(struct yaml_stream *s)
{
    yaml_parser_delete(&s->parser);
}

void yaml_stream_complain(struct yaml_stream *s, const yaml_mark_t *mark, const char *fmt, ...)
{
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_LINE);
    va_list ap;
    va_start(ap, fmt);
    text_addv(&t, fmt, ap);
    va_end(ap);
    yaml_complain_at(s->problems, (int)mark->line + 1, (int)mark->column + 1, "%s", t.data);
}

static void complain_syntax(struct yaml_stream *s)
{
    const yaml_parser_t *p = &s->parser;
    const char *what = p->problem ? p->problem : "it cannot be read";
    if (p->error == YAML_READER_ERROR) {
        int line, column;
        place_of((const char *)p->input.string.start, p->problem_offset, &line, &column);
        yaml_complain_at(s->problems, line, column,
                         "not YAML: %s (0x%02x), a file holds UTF-8 text only", what,
                         (unsigned)p->problem_value);
        return;
    }
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_LINE);
    text_addf(&t, "not YAML: %s", what);
    if (p->context)
        text_addf(&t, " %s that starts on line %zu", p->context, p->context_mark.line + 1);
    bool tab = p->error == YAML_SCANNER_ERROR && p->buffer.pointer && *p->buffer.pointer == '\t';
    text_add(&t, tab ? ", indent with spaces, not tabs" : ", check its indentation and quotes");
    yaml_stream_complain(s, &p->problem_mark, "%s", t.data);
}

bool yaml_stream_next(struct yaml_stream *s, yaml_event_t *event)
{
    if (yaml_parser_parse(&s->parser, event))
        return true;
    if (s->problems)
        complain_syntax(s);
    return false;
}

/* Reads events up to one of the wanted type: STREAM-START and DOCUMENT-START come before a root. */
bool yaml_stream_root(struct yaml_stream *s, yaml_event_t *event)
{
    for (;;) {
        if (!yaml_stream_next(s, event))
            return false;
        if (event->type == YAML_STREAM_END_EVENT) {
            yaml_complain_at(s->problems, 1, 1, "the file is empty");
            return false;
        }
        if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT)
            return true;
        yaml_event_delete(event);
    }
}

bool yaml_stream_ends(struct yaml_stream *s)
{
    for (;;) {
        AUTO_EVENT event = { 0 };
        if (!yaml_stream_next(s, &event))
            return false;
        if (event.type == YAML_STREAM_END_EVENT)
            return true;
        if (event.type == YAML_DOCUMENT_END_EVENT)
            continue;
        yaml_stream_complain(s, &event.start_mark,
                             "a second document starts here, one a file is allowed");
        return false;
    }
}

/* Whether the event is a scalar key of the outermost mapping: keys and values alternate there. */
static bool is_top_key(const yaml_event_t *event, int *depth, bool *value)
{
    yaml_event_type_t type = event->type;
    bool begins = type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
    bool ends = type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT;
    *depth += begins - ends;
    if (begins || *depth != 1)
        return false;
    *value = !*value;
    return *value && type == YAML_SCALAR_EVENT;
}

/* Some 0.1 s; before its first telling key a plan of thousands of parts has a tenth of that. */
enum { LOOK_MOST = 300000 };

size_t yaml_first_of(const char *data, size_t len, const char *const *keys, size_t count)
{
    AUTO_STREAM stream;
    int depth = 0;
    bool value = false;
    if (!yaml_stream_begin(&stream, data, len, NULL))
        return count;
    for (size_t seen = 0; seen < LOOK_MOST; seen++) {
        AUTO_EVENT event = { 0 };
        if (!yaml_stream_next(&stream, &event) || event.type == YAML_DOCUMENT_END_EVENT ||
            event.type == YAML_STREAM_END_EVENT || depth > YAML_DEPTH_LIMIT)
            return count;
        if (!is_top_key(&event, &depth, &value))
            continue;
        for (size_t i = 0; i < count; i++)
            if (text_eq((const char *)event.data.scalar.value, keys[i]))
                return i;
    }
    return count;
}
