/*
 * Indexes and unique constraints of partitioned tables: built on the partitions one by one without
 * blocking, then joined under one of the whole, which is instant. As pg_dump writes it: ON ONLY the
 * parent, ATTACH the partitions' own.
 */
#ifndef CONTROLLER_FAMILY_PARTITIONED_H
#define CONTROLLER_FAMILY_PARTITIONED_H

#include "controller/family/families.h"

/* An index of a partitioned table made like one that is there. */
struct spread {
    struct work *work;
    struct place place;             /* the partitioned table */
    const struct index *index;      /* of it */
    const struct column_maps *maps; /* columns exchanged */
    const char *suffix;             /* behind the names of all of them */
};

/* The partition's own index that belongs to the whole's; null when it cannot be told. */
const struct index *spread_child(const struct spread *s, const struct relation *child);
/* The name of the index on the whole or a partition, with that suffix ("": as it is). */
const char *spread_name(const struct spread *s, const struct relation *relation,
                        const char *suffix);
/* Steps that build it: the shell, each partition's, attached. */
void spread_build(const struct spread *s);
/* Steps that drop it; their way back builds it. */
void spread_remove(const struct spread *s);
/* Unique indexes of the partitions only: what a constraint of the whole takes over. */
void spread_parts(const struct spread *s);
/* Statements that make the constraint out of them, and those that take it off. Only the catalog
 * changes. `name`: of the constraint on the whole; the partitions' are their old ones. */
void spread_join(const struct spread *s, const struct constraint *c, struct step_texts *out);
/* "ALTER INDEX … RENAME" of the index and the partitions', from one suffix to another. */
void spread_rename(const struct spread *s, const char *from, const char *to,
                   struct step_texts *out);

#endif
