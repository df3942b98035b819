/*
 * Private to this folder: what the readers of a manifest's sections share while one is read.
 * Everything that is read hangs on the fleet; nodes belong to the tree, which ends with the load.
 */
#ifndef CONTROLLER_MANIFEST_READING_H
#define CONTROLLER_MANIFEST_READING_H

#include "agents/base/yaml.h"
#include "controller/manifest/fleet.h"

#define KEYS(...)                         \
    (const char *const[]){ __VA_ARGS__ }, \
        sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)

/* How a host is reached: set under defaults, overridden by a service, then by an instance. */
struct access {
    enum transport transport;
    const char *user, *identity, *push_identity, *known_hosts;
    const char *agent_config, *agent_command;
    int port; /* 0: not said */
};

/* A service that something names, resolved when all are read. */
struct mention {
    const struct yaml_node *node;
    const char *service;
};

/* What only one can be: a name within its service and environment, a database, a reference. */
struct claim {
    const struct yaml_node *node;
    const char *what; /* "database users on db1.example.org" */
};

struct reading {
    struct fleet *fleet;
    struct yaml_problems *problems;
    struct access access; /* of the defaults */
    struct mention *mentions;
    size_t mention_count;
    struct claim *claims;
    size_t claim_count;
};

/* --- access.c */
/* Reads transport, agent_command, agent_config and ssh of a section over what `access` has. */
void access_read(struct reading *r, const struct yaml_node *section, struct access *access);

/* --- policy.c */
void policy_defaults(struct fleet_policy *policy);
/* Reads a `policy:` (null: absent) over what is in *policy. */
void policy_read(struct reading *r, const struct yaml_node *node, struct fleet_policy *policy);
/* The most approvals that the policy asks for, and for what. */
int policy_most(const struct fleet_policy *policy, const char **what);

/* --- service.c */
void service_read(struct reading *r, const struct yaml_node *key, const struct yaml_node *node,
                  struct service *service);

/* --- instance.c */
void instances_read(struct reading *r, const struct yaml_node *node, struct service *service,
                    const struct access *access);

/* --- reference.c */
void references_read(struct reading *r, const struct yaml_node *node, struct service *service);
void consumes_read(struct reading *r, const struct yaml_node *node, struct service *service);

/* --- crosscheck.c */
/* Notes what only one place of the manifest can say. */
void claim_add(struct reading *r, const struct yaml_node *node, const char *what);
/* Sorted lists for lookups, then: services mentioned exist, no database twice. */
void crosscheck(struct reading *r);
/* A list of words without repeats. */
void words_unique(struct yaml_problems *problems, const struct yaml_node *list);

#endif
