/*
 * What the words of a manifest may look like. They end up as arguments of other programs, parts of
 * file names and of messages to hosts: none can be an option, a shell word or a path of its own.
 * The same patterns stand in schemas/manifest.schema.json; a test holds the two together.
 */
#ifndef CONTROLLER_MANIFEST_GRAMMAR_H
#define CONTROLLER_MANIFEST_GRAMMAR_H

#include "agents/base/yaml.h"

enum grammar {
    GRAMMAR_NAME,     /* fleet, owner, environment, service, instance */
    GRAMMAR_SIGNER,   /* as in allowed_signers: ana@example.org */
    GRAMMAR_HOST,     /* DNS name, IPv4 or IPv6 address */
    GRAMMAR_USER,     /* login on a host */
    GRAMMAR_DATABASE, /* a key of agent.yaml's `databases` */
    GRAMMAR_COMMAND,  /* path or name of a program, no arguments */
    GRAMMAR_PATH,     /* a file on this machine */
    GRAMMAR_URL,      /* http or https */
    GRAMMAR_VARIABLE, /* of the environment */
};

/* Text of that form; otherwise a problem that says what is wrong with it. A null node is absent:
 * false without a problem. */
bool grammar_text(struct yaml_problems *problems, const struct yaml_node *node, enum grammar form,
                  const char **out);

/* The same of a map's key. */
bool grammar_key(struct yaml_problems *problems, const struct yaml_node *key, enum grammar form);

#endif
