/*
 * One YAML document as libyaml's events, with what is wrong with it said in our words. For yaml.c,
 * which makes a tree of them.
 */
#ifndef AGENTS_BASE_YAML_STREAM_H
#define AGENTS_BASE_YAML_STREAM_H

#include <yaml.h>

#include "agents/base/yaml.h"

struct yaml_stream {
    yaml_parser_t parser;
    struct yaml_problems *problems; /* null: nobody is told */
};

#define AUTO_STREAM __attribute__((cleanup(yaml_stream_end))) struct yaml_stream
#define AUTO_EVENT  __attribute__((cleanup(yaml_event_delete))) yaml_event_t

/* The bytes must outlive the stream. */
bool yaml_stream_begin(struct yaml_stream *stream, const char *data, size_t len,
                       struct yaml_problems *problems) MUSTCHECK;
void yaml_stream_end(struct yaml_stream *stream);

/* The next event; false with a problem where the text is no YAML. */
bool yaml_stream_next(struct yaml_stream *stream, yaml_event_t *event) MUSTCHECK;
/* The first event of the document's content; false with a problem for an empty file. */
bool yaml_stream_root(struct yaml_stream *stream, yaml_event_t *event) MUSTCHECK;
/* True when nothing but the end follows; a second document is a problem. */
bool yaml_stream_ends(struct yaml_stream *stream) MUSTCHECK;

/* A problem at a mark. */
void yaml_stream_complain(struct yaml_stream *stream, const yaml_mark_t *mark, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
